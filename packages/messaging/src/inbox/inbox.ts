import {
  type Change,
  type Clock,
  type CryptoProvider,
  type Logger,
  type Messenger,
  type Opened,
  PeerAiError,
  type PeerId,
  ReplayWindow,
  type Store,
} from '@peerai/core-protocol';
import { type Letter, openLetter } from '../letter.ts';
import { limits } from '../limits.ts';
import type { DeliveryAnswer } from '../protocol.ts';
import { expiryKey, markKey, takenMark } from '../rows.ts';
import { createTurns } from '../turns.ts';
import { createMarks } from './marks.ts';

type Handler = (message: Opened, signal: AbortSignal) => Promise<readonly Change[]>;

export interface InboxDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly self: PeerId;
  readonly isRefused?: (from: PeerId) => boolean;
}
/** Takes letters in: each is handled once, whatever happens to the answer. */
export interface Inbox {
  handle: Messenger['handle'];
  /** Kinds that are handled now. */
  kinds(): readonly string[];
  /** Throws what a later attempt may get past: CLOCK_SKEW, REPLAY_DETECTED, LIMIT_REACHED, TIMEOUT, HANDLER_FAILED, what the store throws. */
  take(from: PeerId, letter: Uint8Array, signal: AbortSignal): Promise<DeliveryAnswer>;
  /**
   * The same for a letter that came another way and was opened there. Its mark is kept under `owner`, where not its sender but a secret of several
   * was proven. `isRepeated` says that it was handled before.
   */
  receive(
    letter: Letter,
    signal: AbortSignal,
    owner?: PeerId,
  ): Promise<DeliveryAnswer & { readonly isRepeated: boolean }>;
  /** True for a letter that was handled and is remembered. */
  readonly hasTaken: (sender: PeerId, id: string) => Promise<boolean>;
  /** When every letter that is being taken is committed or refused. */
  idle(): Promise<void>;
}

/** What another attempt with the same content can never get past. */
export const finalCodes = [
  'UNKNOWN_KIND',
  'REFUSED',
  'EXPIRED',
  'INVALID_FORMAT',
  'INVALID_SIGNATURE',
  'INVALID_VERSION',
  'WRONG_RECIPIENT',
  'LIMIT_EXCEEDED',
  'KEY_REFUSED',
];

export function createInbox(deps: InboxDeps): Inbox {
  const handlers = new Map<string, Handler>();
  const replay = new ReplayWindow();
  const marks = createMarks(deps);
  /** One letter of a sender after another; a repeated one waits for the first and then finds its mark. */
  const turns = createTurns();
  const receive: Inbox['receive'] = async (letter, signal, owner = letter.sender) => {
    try {
      return await turns.run(owner, () => takeOnce(deps, marks, handlers, { letter, owner }, signal));
    } catch (error) {
      return { ...refusal(deps, letter.sender, error), isRepeated: false };
    }
  };
  return {
    handle: (kind, handler) => {
      if (handlers.has(kind)) throw new PeerAiError('REFUSED', `messages of kind ${kind} are handled already`);
      handlers.set(kind, handler);
      return { [Symbol.dispose]: () => void handlers.delete(kind) };
    },
    kinds: () => [...handlers.keys()],
    take: async (from, bytes, signal) => {
      let letter: Letter;
      try {
        letter = openLetter({ ...deps, replay }, bytes, from);
      } catch (error) {
        return refusal(deps, from, error);
      }
      const { outcome, code } = await receive(letter, signal);
      return { outcome, code };
    },
    receive,
    hasTaken: async (sender, id) => (await deps.store.get(markKey(sender, id))) !== undefined,
    idle: turns.idle,
  };
}

/** The answer to a letter that is refused for good; what a later attempt may get past is thrown on. */
function refusal(deps: InboxDeps, from: PeerId, error: unknown): DeliveryAnswer {
  if (PeerAiError.is(error, ...finalCodes)) return { outcome: 'refused', code: error.code };
  deps.logger.warn('message-not-taken', { from, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
  throw error;
}

async function takeOnce(
  { store, clock, isRefused }: InboxDeps,
  marks: ReturnType<typeof createMarks>,
  handlers: ReadonlyMap<string, Handler>,
  { letter, owner }: { readonly letter: Letter; readonly owner: PeerId },
  signal: AbortSignal,
): Promise<DeliveryAnswer & { readonly isRepeated: boolean }> {
  const { id, kind, expiresMs, sender } = letter;
  signal.throwIfAborted();
  const taken = { outcome: 'taken', code: undefined } as const;
  if ((await store.get(markKey(owner, id))) !== undefined) return { ...taken, isRepeated: true };
  if (isRefused?.(sender) === true) throw new PeerAiError('REFUSED', 'this peer is refused here');
  const handler = handlers.get(kind);
  if (handler === undefined) throw new PeerAiError('UNKNOWN_KIND', `messages of kind ${kind} are not handled here`);
  await marks.makeRoom(owner);
  const changes = await runHandler(clock, handler, letter, signal);
  await store.commit([
    ...changes,
    store.put(markKey(owner, id), takenMark),
    store.put(expiryKey(expiresMs, owner, id), takenMark),
  ]);
  marks.added(owner);
  return { ...taken, isRepeated: false };
}

/** Throws REFUSED and INVALID_FORMAT as the handler does, TIMEOUT and ABORTED; HANDLER_FAILED for all else, which says nothing of it to the sender. */
async function runHandler(
  clock: Clock,
  handler: Handler,
  letter: Letter,
  signal: AbortSignal,
): Promise<readonly Change[]> {
  const done = new AbortController();
  const limit = clock.deadline(limits.handlerMsMax, AbortSignal.any([signal, done.signal]));
  try {
    const { expiresMs: _, ...opened } = letter;
    const ended = new Promise<never>((_, reject) => {
      limit.addEventListener('abort', () => reject(limit.reason as Error), { once: true });
    });
    return await Promise.race([handler(opened, limit), ended]);
  } catch (cause) {
    if (limit.aborted || PeerAiError.is(cause, 'REFUSED', 'INVALID_FORMAT')) throw cause;
    throw new PeerAiError('HANDLER_FAILED', 'the message could not be handled now', {}, { cause });
  } finally {
    done.abort();
  }
}
