import { type Clock, fromUtf8, PeerAiError } from '@peerai/core-protocol';
import type { InboxFiles } from '@peerai/messaging/assistant';
import type { HttpPost } from '@peerai/messaging/http';
import { chatLimits } from './chat-limits.ts';

/** What a later attempt may get past. */
const passing = ['PEER_UNREACHABLE', 'TIMEOUT', 'RATE_LIMITED', 'LIMIT_REACHED'];

const retryMs = (failures: number): number =>
  Math.min(chatLimits.retryMsMin * 2 ** (failures - 1), chatLimits.retryMsMax);

/** Brings one envelope to the other side. Throws one of `passing` where it may work later, anything else where it never will. */
export type Deliver = (envelope: Uint8Array, signal: AbortSignal) => Promise<void>;

/** Lines on their way, one after the other. */
export interface ChatOutbox {
  /** Throws LIMIT_REACHED. */
  readonly add: (envelope: Uint8Array) => void;
  /** Ends when nothing waits any more, or with the signal; says how many lines wait then. */
  readonly drained: (signal: AbortSignal) => Promise<number>;
}

/** @param failed - is told once for each line that cannot be delivered now (`isFinal` false), and for each that never can. */
export function chatOutbox(
  { clock, deliver }: { readonly clock: Clock; readonly deliver: Deliver },
  failed: (error: unknown, isFinal: boolean) => void,
  signal: AbortSignal,
): ChatOutbox {
  const waiting: Uint8Array[] = [];
  let working: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    for (let failures = 0; waiting[0] !== undefined && !signal.aborted;) {
      try {
        await deliver(waiting[0], signal);
      } catch (error) {
        if (signal.aborted) return;
        // A line that got through although its answer was lost is known there.
        const isThere = failures > 0 && PeerAiError.is(error, 'REPLAY_DETECTED');
        const isFinal = !PeerAiError.is(error, ...passing);
        if (!isThere && (isFinal || failures === 0)) failed(error, isFinal);
        if (!isFinal) {
          failures += 1;
          await clock.sleep(retryMs(failures), signal).catch(() => undefined);
          continue;
        }
      }
      waiting.shift();
      failures = 0;
    }
  };
  const start = (): void => {
    working = work().finally(() => {
      working = undefined;
      // What was added while the last one ended.
      if (waiting.length > 0 && !signal.aborted) start();
    });
  };
  return {
    add(envelope) {
      if (waiting.length >= chatLimits.waitingMax)
        throw new PeerAiError('LIMIT_REACHED', `${chatLimits.waitingMax} lines wait already`);
      waiting.push(envelope);
      if (working === undefined) start();
    },
    async drained(until) {
      const over = new Promise<void>((resolve) => {
        if (until.aborted) resolve();
        until.addEventListener('abort', () => resolve(), { once: true });
      });
      for (let now = working; now !== undefined && !until.aborted; now = working) await Promise.race([now, over]);
      return waiting.length;
    },
  };
}

export const byFile =
  (files: InboxFiles, peer: string): Deliver =>
  (envelope) =>
    files.put(peer, envelope);

/** By `POST /inbox`. Older programs answer 200 to everything, whether they could open it or not. */
export const byHttp =
  (post: HttpPost, peerUrl: string): Deliver =>
  async (envelope, signal) => {
    const url = `${peerUrl.replace(/\/+$/u, '')}/inbox`;
    const { status, body } = await post({ url, body: envelope, signal });
    if (status >= 200 && status < 300) return;
    const { code, message } = refusalOf(body);
    if (status === 429) throw new PeerAiError('RATE_LIMITED', 'the other side is asked too much');
    if (status >= 500) throw new PeerAiError('PEER_UNREACHABLE', `${url} answers ${status}`);
    throw new PeerAiError(code, message ?? `${url} answers ${status}`);
  };

function refusalOf(body: Uint8Array): { readonly code: string; readonly message: string | undefined } {
  try {
    const { error } = JSON.parse(fromUtf8(body)) as {
      readonly error?: { readonly code?: unknown; readonly message?: unknown };
    };
    return {
      code: typeof error?.code === 'string' && !passing.includes(error.code) ? error.code : 'REFUSED',
      message: typeof error?.message === 'string' ? error.message : undefined,
    };
  } catch {
    return { code: 'REFUSED', message: undefined };
  }
}
