/** @jsxImportSource preact */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ago, shortCount, span } from '../shared/format.ts';
import { nextSentences } from '../shared/sentences.ts';
import { currentTheme, nextTheme, themeLabel } from '../shared/theme.ts';
import { isOpen, type AnswerTurn, type Turn } from '../shared/turns.ts';
import { Composer } from './composer.tsx';
import type { GuestController, GuestState } from './controller.ts';
import { EvidenceSheet } from './evidence.tsx';
import { Icon, Mark, Note } from './parts.tsx';
import { refusalOf } from './refusals.ts';
import { Stages } from './stages.tsx';
import { guest } from './strings.ts';
import { TurnView } from './turn.tsx';

export function GuestPage({ controller }: { readonly controller: GuestController }): JSX.Element {
  const state = useControllerState(controller);
  const now = useNow();
  const [evidence, setEvidence] = useState<AnswerTurn>();
  const [model, setModel] = useState<string>();
  const { phase, invitation, turns } = state;
  const models = state.share?.state.models ?? invitation?.models ?? [];
  const ask = (text: string): boolean => controller.ask(text, model);
  useFollowing(turns);
  if (phase === 'left') return <Alone title={guest.leftTitle} text={guest.leftText} />;
  return (
    <div class="guest">
      <Header state={state} />
      <main>
        <section class="thread" aria-label={guest.conversation}>
          {invitation !== undefined && <p class="small muted center">{guest.same(invitation.name)}</p>}
          {turns.map((turn, i) => (
            <TurnView
              key={i}
              turn={turn}
              invitation={invitation}
              connected={phase === 'ready'}
              linkLost={state.linkLost}
              last={i === turns.length - 1}
              onAsk={ask}
              onAgain={() => controller.askAgain()}
              onStop={() => controller.stop()}
              onEvidence={setEvidence}
            />
          ))}
        </section>
        <Situation state={state} nowMs={now} onRetry={() => void controller.reconnect()} />
        <Spoken turn={turns.at(-1)} />
      </main>
      {phase !== 'refused' && (
        <Composer
          label={invitation === undefined ? guest.messageBefore : guest.message(model ?? models[0] ?? '')}
          models={models}
          model={model}
          busy={isOpen(turns.at(-1))}
          onModel={setModel}
          onSend={ask}
        >
          <Ends state={state} nowMs={now} onLeave={() => controller.leave()} />
        </Composer>
      )}
      {evidence !== undefined && invitation !== undefined && (
        <EvidenceSheet
          turn={evidence}
          invitation={invitation}
          link={state.link}
          onClose={() => setEvidence(undefined)}
        />
      )}
    </div>
  );
}

/** Shown alone: no link, or the guest has left. */
export function Alone({ title, text }: { readonly title: string; readonly text: string }): JSX.Element {
  return (
    <main class="guest">
      <div class="pad stack">
        <Mark />
        <h1>{title}</h1>
        <p class="muted">{text}</p>
      </div>
    </main>
  );
}

function Header({ state }: { readonly state: GuestState }): JSX.Element {
  const [theme, setTheme] = useState(currentTheme);
  const { invitation } = state;
  const title =
    invitation === undefined ? guest.titleBefore : guest.title(invitation.name, invitation.models.join(', '));
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <header>
      <div class="row">
        <Mark />
        <h1 class="anywhere">{title}</h1>
        <button
          type="button"
          class="b b-0 b-i push"
          aria-label={themeLabel(theme)}
          onClick={() => setTheme(nextTheme())}
        >
          <Icon name="theme" />
        </button>
      </div>
      {invitation !== undefined && (
        <p class="lockline">
          <Icon name="lock" small />
          <span>
            {guest.encrypted}{' '}
            <span
              class="emoji"
              role="img"
              aria-label={guest.pictures(invitation.words.join(', '))}
              title={invitation.words.join(', ')}
            >
              {invitation.emoji.join('')}
            </span>{' '}
            · {guest.relayBlind}
          </span>
        </p>
      )}
    </header>
  );
}

/** How the connection is, said once, below the talk. */
function Situation({
  state,
  nowMs,
  onRetry,
}: {
  readonly state: GuestState;
  readonly nowMs: number;
  readonly onRetry: () => void;
}): JSX.Element | null {
  const { phase, invitation, link, problem } = state;
  const name = invitation?.name ?? guest.titleBefore;
  if (phase === 'refused' && problem !== undefined) {
    const refusal = refusalOf(problem.code, invitation, nowMs);
    return (
      <Note kind="warn" icon="x" title={refusal?.title ?? problem.message}>
        <p>{refusal?.text}</p>
      </Note>
    );
  }
  if (phase === 'lost') {
    const reason = problem === undefined ? undefined : refusalOf(problem.code, invitation, nowMs);
    return (
      <Note kind="warn" icon="warn" title={reason?.title ?? guest.unreachable(name)}>
        <p>{reason?.text ?? guest.unreachableText}</p>
        <button type="button" class="b" onClick={onRetry}>
          {guest.retry}
        </button>
      </Note>
    );
  }
  if (phase !== 'ready') return <Stages state={state} nowMs={nowMs} />;
  if (link?.path === 'relayed' && state.turns.length === 0) {
    return (
      <Note icon="share" title={guest.relayedTitle}>
        <p>{guest.relayedText}</p>
      </Note>
    );
  }
  return null;
}

/** What is left of the link; dated when the other side did not answer lately. */
function Ends({
  state,
  nowMs,
  onLeave,
}: {
  readonly state: GuestState;
  readonly nowMs: number;
  readonly onLeave: () => void;
}): JSX.Element {
  const { share, invitation } = state;
  return (
    <footer class="ends">
      {share === undefined ? (
        <span>{guest.typeNow}</span>
      ) : (
        <span class={share.fresh ? '' : 'stale'}>
          {guest.left(span(share.state.expiresMs - nowMs))} ·{' '}
          {guest.tokensLeft(shortCount(Math.max(0, share.state.tokensBudget - share.state.tokensUsed)))}
          {!share.fresh && ` · ${guest.asOf(ago(share.atMs, nowMs), invitation?.name ?? '')}`}
        </span>
      )}
      <button type="button" class="link push" onClick={onLeave}>
        {guest.leave}
      </button>
    </footer>
  );
}

/** Reads a growing answer to screen readers by whole sentences. */
function Spoken({ turn }: { readonly turn: Turn | undefined }): JSX.Element {
  const [spoken, setSpoken] = useState('');
  const place = useRef({ upTo: 0, reading: false });
  const open = isOpen(turn);
  const text = turn?.role === 'assistant' ? turn.text : '';
  useEffect(() => {
    const reader = place.current;
    if (open && !reader.reading) Object.assign(reader, { upTo: 0, reading: true });
    if (!reader.reading) return;
    const next = nextSentences(text, reader.upTo, !open);
    Object.assign(reader, { upTo: next.upTo, reading: open });
    if (next.spoken !== '') setSpoken(next.spoken);
  }, [text, open]);
  return (
    <p class="vh" aria-live="polite">
      {spoken}
    </p>
  );
}

function useControllerState(controller: GuestController): GuestState {
  const [state, setState] = useState(controller.state);
  useEffect(() => {
    setState(controller.state);
    return controller.subscribe(() => setState(controller.state));
  }, [controller]);
  return state;
}

function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** Keeps the newest words in sight, unless the reader has scrolled away. */
function useFollowing(turns: readonly Turn[]): void {
  useEffect(() => {
    const root = document.documentElement;
    const awayPx = root.scrollHeight - root.scrollTop - root.clientHeight;
    if (isOpen(turns.at(-1)) && awayPx < 240) root.scrollTop = root.scrollHeight;
  }, [turns]);
}
