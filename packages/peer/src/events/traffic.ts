import type { Clock } from '@peerai/core-protocol';
import type { LinkBook } from '../links/link-book.ts';
import type { EventHub } from './hub.ts';

/** How often bytes and tokens a second are told, milliseconds. */
const everyMs = 2_000;

export interface TrafficDeps {
  readonly clock: Clock;
  readonly links: LinkBook;
  readonly events: EventHub;
  /** Tokens answered or received since the start. */
  readonly tokens: () => number;
  readonly answering: () => number;
}

/** Tells what flows, every two seconds, and once more when it has stopped; silent otherwise. */
export async function runTraffic(
  { clock, links, events, tokens, answering }: TrafficDeps,
  signal: AbortSignal,
): Promise<void> {
  let before = { atMs: clock.elapsedMs(), bytes: links.bytes(), tokens: tokens(), quiet: true };
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const now = { atMs: clock.elapsedMs(), bytes: links.bytes(), tokens: tokens() };
    const seconds = Math.max(1, now.atMs - before.atMs) / 1000;
    const bytesPerSecond = Math.round((now.bytes - before.bytes) / seconds);
    const tokensPerSecond = Math.round(((now.tokens - before.tokens) / seconds) * 10) / 10;
    const quiet = bytesPerSecond === 0 && tokensPerSecond === 0 && answering() === 0;
    if (!quiet || !before.quiet)
      events.emit({ type: 'traffic', bytesPerSecond, tokensPerSecond, answering: answering() });
    before = { ...now, quiet };
  }
}
