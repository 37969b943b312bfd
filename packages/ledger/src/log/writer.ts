import { type Change, type EntryBody, PeerAiError } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { Group, LogEnd } from './state.ts';

interface Waiting {
  readonly entries: readonly EntryBody[];
  readonly alongside: readonly Change[];
  /** Was in a group that was refused: the next time it is one of its own. */
  readonly isAlone: boolean;
  readonly resolve: (first: bigint) => void;
  readonly reject: (cause: unknown) => void;
}
interface UnderWay extends Group {
  readonly share: readonly Waiting[];
  /** How it ended, in a form that nobody has to catch. */
  readonly outcome: Promise<{ readonly cause: unknown } | undefined>;
}

export interface WriterDeps extends Pick<LogEnd, 'begin' | 'goBack'> {
  /** Throws what is wrong with an append, which then rejects. */
  check(entries: readonly EntryBody[], alongside: readonly Change[]): void;
  /** What has to be over before a group may begin. */
  busy(): Promise<unknown> | undefined;
}
export interface Writer {
  append(entries: readonly EntryBody[], alongside: readonly Change[]): Promise<bigint>;
  /** Waits until no group is under way; the caller sees to it that `busy` lets none begin meanwhile. */
  idle(): Promise<void>;
}

/**
 * One queue before one disk: what arrives while a group is written shares the next one, which is prepared and handed to the store before the
 * one before it is on disk as soon as it has `groupAheadEntriesMin` entries. Answers come in order.
 *
 * Behind a group that was refused the store refuses all that were prepared on it. They are prepared anew, and the refused one append by append,
 * so that one caller's refused change does not fail the others; a broken or full store refuses each of them.
 */
export function createWriter(log: WriterDeps): Writer {
  const queue: Waiting[] = [];
  const underWay: UnderWay[] = [];
  let waitingEntries = 0;
  let isStarting = false;
  let isGoingBack = false;
  let settling: Promise<void> | undefined;

  const mayBegin = (): boolean => {
    if (queue.length === 0 || isGoingBack) return false;
    if (underWay.length === 0) return true;
    return underWay.length < limits.groupsUnderWayMax && waitingEntries >= limits.groupAheadEntriesMin;
  };
  const start = async (): Promise<void> => {
    isStarting = true;
    // One turn later, so that appends called in the same turn meet.
    await Promise.resolve();
    while (mayBegin()) {
      const before = log.busy();
      if (before === undefined) begin(takeShare(queue));
      else await before;
    }
    isStarting = false;
  };
  const startIfEnough = (): void => {
    if (!isStarting && mayBegin()) void start();
  };
  const begin = (share: readonly Waiting[]): void => {
    waitingEntries -= entriesOf(share);
    try {
      const group = log.begin(
        share.flatMap(({ entries }) => entries),
        share.flatMap(({ alongside }) => alongside),
      );
      const outcome = group.written.then(
        () => undefined,
        (cause: unknown) => ({ cause }),
      );
      underWay.push({ ...group, share, outcome });
      settling ??= settle();
    } catch (cause) {
      for (const { reject } of share) reject(cause);
    }
  };
  const settle = async (): Promise<void> => {
    for (let group = underWay[0]; group !== undefined; group = underWay[0]) {
      const failure = await group.outcome;
      if (failure === undefined) {
        underWay.shift();
        group.keep();
        acknowledge(group);
      } else await goBack(failure.cause);
      startIfEnough();
    }
    settling = undefined;
  };
  const goBack = async (cause: unknown): Promise<void> => {
    isGoingBack = true;
    const outcomes = await Promise.all(underWay.map(({ outcome }) => outcome));
    const size = await log.goBack();
    const again: Waiting[] = [];
    for (const [index, group] of underWay.splice(0).entries()) {
      // On the disk all the same: not once more. Who was told that it is there keeps that.
      if (group.first < size && outcomes[index] === undefined) acknowledge(group);
      else if (group.first < size || (index === 0 && group.share.length === 1)) {
        for (const { reject } of group.share) reject(cause);
      } else again.push(...(index === 0 ? group.share.map((one) => ({ ...one, isAlone: true })) : group.share));
    }
    waitingEntries += entriesOf(again);
    queue.unshift(...again);
    isGoingBack = false;
  };
  return {
    append: (entries, alongside) =>
      new Promise((resolve, reject) => {
        log.check(entries, alongside);
        if (queue.length >= limits.waitingAppendsMax) {
          reject(new PeerAiError('LIMIT_REACHED', `${queue.length} appends wait for the disk already`));
          return;
        }
        queue.push({ entries, alongside, isAlone: false, resolve, reject });
        waitingEntries += entries.length;
        startIfEnough();
      }),
    async idle() {
      for (let over = settling; over !== undefined; over = settling) await over;
    },
  };
}

const entriesOf = (share: readonly Waiting[]): number => share.reduce((sum, { entries }) => sum + entries.length, 0);

function takeShare(queue: Waiting[]): Waiting[] {
  let entries = 0;
  let count = 0;
  for (const { entries: more, isAlone } of queue) {
    if (count > 0 && (isAlone || entries + more.length > limits.commitEntriesMax)) break;
    entries += more.length;
    count += 1;
    if (isAlone) break;
  }
  return queue.splice(0, count);
}

function acknowledge({ first, share }: UnderWay): void {
  let place = first;
  for (const { entries, resolve } of share) {
    resolve(place);
    place += BigInt(entries.length);
  }
}
