/** @jsxImportSource preact */
import type { JSX } from 'preact';
import { span } from '../shared/format.ts';
import type { GuestState } from './controller.ts';
import { limits } from './limits.ts';
import { Icon, State } from './parts.tsx';
import { guest } from './strings.ts';

/** Coming in, as one sentence that changes; after a while it says why it is slow. */
export function Stages({ state, nowMs }: { readonly state: GuestState; readonly nowMs: number }): JSX.Element {
  const name = state.invitation?.name ?? '…';
  const words = [guest.stages.opening, guest.stages.finding, guest.stages.asking(name), guest.stages.direct];
  const now = { opening: 0, finding: 1, asking: 2, ready: 3, lost: 3, refused: 3, left: 3 }[state.phase];
  const waitedMs = nowMs - state.sinceMs;
  return (
    <div class="card pad">
      <p class="vh" role="status">
        {words[now]}…
      </p>
      <ul class="stages" aria-hidden="true">
        {words.map((word, i) => (
          <li key={word} class={i < now ? 'done' : i === now ? 'now' : 'later'}>
            {i < now ? <Icon name="check" /> : <State dot={i === now ? 'pending' : 'offline'} />}
            {i === now ? `${word}…` : word}
          </li>
        ))}
      </ul>
      {waitedMs >= limits.slowMs && (
        <details class="small">
          <summary>{guest.slow}</summary>
          <p class="muted">{guest.slowText(span(waitedMs), state.invitation?.name ?? guest.titleBefore)}</p>
        </details>
      )}
    </div>
  );
}
