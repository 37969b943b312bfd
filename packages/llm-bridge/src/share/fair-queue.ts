import { type Clock, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf } from '../flow/abort.ts';
import { limits } from '../limits.ts';

export interface QueueOptions {
  /** Served at once. */
  readonly concurrency: number;
  /** Waiting over all peers, and of one peer. */
  readonly lengthMax: number;
  readonly perPeerMax: number;
  /** What is made of a peer, 0 to 1; all are alike unless said. */
  readonly standing?: (peer: PeerId) => number;
}
/** A place among those that are served. */
export interface Slot {
  /** Safe to call twice. */
  free(): void;
}
/** Peers take turns: whoever floods waits behind its own requests, not before others'. */
export interface FairQueue {
  /**
   * A slot, now or when it is this peer's turn. `moved` hears how many will be served before, at first and at each change.
   * Throws QUEUE_FULL with `details.retryAfterMs`, the signal's reason.
   */
  enter(peer: PeerId, signal: AbortSignal, moved?: (position: number) => void): Promise<Slot>;
  readonly running: number;
  readonly waiting: number;
}

interface Waiter {
  readonly peer: PeerId;
  readonly start: () => void;
  readonly refuse: (error: PeerAiError) => void;
  readonly moved: (position: number) => void;
}

/**
 * Round robin over peers; each peer's own requests in their order. When full, the newest request of the peer with most gives way to one with fewer; where
 * nobody has more, that of the peer of least standing gives way to one with more, if it has one more waiting than that. Turns are not taken by standing.
 */
export function createFairQueue(clock: Pick<Clock, 'elapsedMs'>, options: QueueOptions): FairQueue {
  const { concurrency, lengthMax, perPeerMax, standing = () => 0 } = options;
  /** In the order of their next turn. */
  const lines = new Map<PeerId, Waiter[]>();
  let running = 0;
  let serviceMs = limits.retryAfterMsMin;

  const waiting = (): number => [...lines.values()].reduce((sum, line) => sum + line.length, 0);
  const full = (why: string): PeerAiError =>
    llmError('QUEUE_FULL', `${why}; try again later`, {
      retryAfterMs: retryAfterMs(waiting() + 1, concurrency, serviceMs),
    });
  const tell = (): void => {
    for (const [waiter, position] of positions([...lines.values()])) waiter.moved(position);
  };
  const leave = (waiter: Waiter): boolean => {
    const line = lines.get(waiter.peer) ?? [];
    const place = line.indexOf(waiter);
    if (place === -1) return false;
    line.splice(place, 1);
    if (line.length === 0) lines.delete(waiter.peer);
    return true;
  };
  const makeRoom = (peer: PeerId): void => {
    const mine = lines.get(peer)?.length ?? 0;
    if (mine >= perPeerMax) throw full(`${mine} of your requests wait already`);
    if (waiting() < lengthMax) return;
    // The most first, of the least standing among those.
    const [longest] = [...lines].toSorted((a, b) => b[1].length - a[1].length || standing(a[0]) - standing(b[0]));
    const last = longest?.[1].at(-1);
    if (longest === undefined || last === undefined) throw full('nobody waits here');
    const hasMore = longest[1].length > mine + 1;
    const standsHigher = longest[1].length > mine && standing(peer) > standing(longest[0]);
    if (!hasMore && !standsHigher) throw full(`${waiting()} requests wait already`);
    leave(last);
    last.refuse(full(hasMore ? 'others wait who have had less' : 'others wait whose reputation here is better'));
  };
  const slot = (): Slot => {
    running += 1;
    const startedMs = clock.elapsedMs();
    let freed = false;
    return {
      free() {
        if (freed) return;
        freed = true;
        running -= 1;
        serviceMs = 0.8 * serviceMs + 0.2 * (clock.elapsedMs() - startedMs);
        startNext();
      },
    };
  };
  const startNext = (): void => {
    for (const next of lines) {
      if (running >= concurrency) return;
      const waiter = next[1].shift();
      if (waiter === undefined) return;
      lines.delete(next[0]);
      // Its next request comes after every other peer's.
      if (next[1].length > 0) lines.set(next[0], next[1]);
      waiter.start();
      tell();
    }
  };

  return {
    get running() {
      return running;
    },
    get waiting() {
      return waiting();
    },
    async enter(peer, signal, moved = () => {}) {
      if (signal.aborted) throw reasonOf(signal);
      if (running < concurrency && lines.size === 0) return slot();
      makeRoom(peer);
      return new Promise<Slot>((resolve, reject) => {
        const stop = (): void => {
          if (leave(waiter)) tell();
          reject(reasonOf(signal));
        };
        const done = (): void => signal.removeEventListener('abort', stop);
        const waiter: Waiter = {
          peer,
          moved,
          start() {
            done();
            resolve(slot());
          },
          refuse(error) {
            done();
            reject(error);
          },
        };
        signal.addEventListener('abort', stop, { once: true });
        lines.set(peer, [...(lines.get(peer) ?? []), waiter]);
        tell();
      });
    },
  };
}

/** Everybody's place: round by round, one of each line. */
function* positions(lines: readonly (readonly Waiter[])[]): Generator<readonly [Waiter, number], void, undefined> {
  let position = 0;
  const rounds = Math.max(0, ...lines.map((line) => line.length));
  for (let round = 0; round < rounds; round += 1) {
    for (const line of lines) {
      const waiter = line[round];
      if (waiter === undefined) continue;
      yield [waiter, position];
      position += 1;
    }
  }
}

function retryAfterMs(ahead: number, concurrency: number, serviceMs: number): number {
  const waitMs = Math.ceil((ahead / concurrency) * serviceMs);
  return Math.min(limits.retryAfterMsMax, Math.max(limits.retryAfterMsMin, waitMs));
}
