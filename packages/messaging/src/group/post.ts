import {
  type Change,
  type Clock,
  type Logger,
  type Messenger,
  PeerAiError,
  type PeerId,
  type Store,
} from '@peerai/core-protocol';
import { limits as messageLimits } from '../limits.ts';
import { collect, under } from '../rows.ts';
import { groupKind, writeLetter } from './letters.ts';
import { limits } from './limits.ts';
import { outCodec, outKey, type OutRow, placeOf, sentCodec, sentKey } from './rows.ts';

export interface PostDeps {
  readonly store: Store;
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly logger: Logger;
}
/** Letters that are on disk with the step that made them, and from there are given to the messenger, in order. */
export interface Post {
  /** A change for the step's commit, and the letter's place in line. */
  put(row: OutRow): Change;
  nextPlace(): number;
  /** Gives over what is on disk; at once, or when it is running. */
  kick(): void;
  start(signal: AbortSignal): Promise<void>;
  idle(): Promise<void>;
}

export async function openPost(deps: PostDeps): Promise<Post> {
  const { store } = deps;
  const [lastOut] = await collect(store.range(...under('out'), { reverse: true, limit: 1 }));
  const [lastSent] = await collect(store.range(...under('sent'), { reverse: true, limit: 1 }));
  const placeOfSent = lastSent === undefined ? -1 : Number.parseInt(lastSent.key.slice(5, 19), 16);
  let next = Math.max(lastOut === undefined ? -1 : placeOf(lastOut.key), placeOfSent) + 1;
  let running: AbortSignal | undefined;
  let work: Promise<void> | undefined;
  let isWanted = false;
  const loop = async (signal: AbortSignal): Promise<void> => {
    for (let waitMs: number = limits.againMsMin; isWanted && !signal.aborted;) {
      isWanted = false;
      try {
        await giveAll(deps, signal);
        waitMs = limits.againMsMin;
      } catch (error) {
        if (signal.aborted) return;
        deps.logger.warn('group-letters-wait', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
        isWanted = true;
        await deps.clock.sleep(waitMs, signal).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, limits.againMsMax);
      }
    }
  };
  const kick = (): void => {
    isWanted = true;
    if (running === undefined || running.aborted || work !== undefined) return;
    work = loop(running).finally(() => {
      work = undefined;
      if (isWanted && running?.aborted === false) kick();
    });
  };
  return {
    kick,
    nextPlace: () => next,
    put: (row) => {
      const place = next;
      next += 1;
      return store.put(outKey(place), outCodec.encode(row));
    },
    start: async (signal) => {
      running = signal;
      kick();
    },
    idle: async () => {
      await work;
    },
  };
}

async function giveAll(deps: PostDeps, signal: AbortSignal): Promise<void> {
  for (;;) {
    const [row] = await collect(deps.store.range(...under('out'), { limit: 1 }));
    if (row === undefined || signal.aborted) return;
    const letter = outCodec.decode(row.value);
    const given: Given[] = [];
    for (const to of letter.to) given.push(await give(deps, to as PeerId, letter));
    await deps.store.commit([deps.store.put(row.key), ...(await noted(deps.store, letter, given))]);
  }
}

interface Given {
  readonly peer: string;
  readonly letter: string | undefined;
  readonly code: string | undefined;
}

/** A member whose outbox is full, or that letters no longer go to, must not keep the others waiting; the report says so. */
const skippedCodes = ['LIMIT_REACHED', 'LIMIT_EXCEEDED', 'INVALID_FORMAT', 'WRONG_RECIPIENT', 'EXPIRED'];

async function give({ messenger, clock, logger }: PostDeps, to: PeerId, row: OutRow): Promise<Given> {
  // A change of the group waits as long as any letter may: without it a member reads nothing more.
  const isMessage = row.message !== undefined;
  const expires = isMessage ? {} : { expiresMs: clock.nowMs() + messageLimits.lifeMsMax };
  try {
    const letter = await messenger.send({ to, kind: groupKind, payload: writeLetter(row), ...expires });
    return { peer: to, letter, code: undefined };
  } catch (error) {
    if (!PeerAiError.is(error, ...skippedCodes)) throw error;
    logger.warn('group-letter-skipped', { to, code: error.code });
    return { peer: to, letter: undefined, code: error.code };
  }
}

async function noted(store: Store, { message }: OutRow, to: readonly Given[]): Promise<readonly Change[]> {
  const bytes = message === undefined ? undefined : await store.get(sentKey(message));
  if (message === undefined || bytes === undefined) return [];
  return [store.put(sentKey(message), sentCodec.encode({ ...sentCodec.decode(bytes), to }))];
}
