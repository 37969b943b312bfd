import { type Change, type EntryBody, PeerAiError } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

type Append = (entries: readonly EntryBody[], alongside: readonly Change[]) => Promise<bigint>;

interface Waiting {
  readonly entries: readonly EntryBody[];
  readonly alongside: readonly Change[];
  readonly resolve: (first: bigint) => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * One queue before one disk: what arrives while a commit runs shares the next one. A shared commit that fails is tried again append by append,
 * so that one caller's refused change does not fail the others; a broken store refuses each of them.
 */
export function createWriter(commit: Append): Append {
  const queue: Waiting[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    running = true;
    // One turn later, so that appends called in the same turn meet.
    await Promise.resolve();
    while (queue.length > 0) await commitShared(commit, takeShare(queue));
    running = false;
  };
  return (entries, alongside) =>
    new Promise((resolve, reject) => {
      if (queue.length >= limits.waitingAppendsMax) {
        reject(new PeerAiError('LIMIT_REACHED', `${queue.length} appends wait for the disk already`));
        return;
      }
      queue.push({ entries, alongside, resolve, reject });
      if (!running) void run();
    });
}

function takeShare(queue: Waiting[]): Waiting[] {
  let entries = 0;
  let count = 0;
  for (const { entries: more } of queue) {
    if (count > 0 && entries + more.length > limits.commitEntriesMax) break;
    entries += more.length;
    count += 1;
  }
  return queue.splice(0, count);
}

async function commitShared(commit: Append, share: readonly Waiting[]): Promise<void> {
  try {
    let first = await commit(
      share.flatMap(({ entries }) => entries),
      share.flatMap(({ alongside }) => alongside),
    );
    for (const { entries, resolve } of share) {
      resolve(first);
      first += BigInt(entries.length);
    }
  } catch (cause) {
    const [only, ...others] = share;
    if (others.length === 0) only?.reject(cause);
    else for (const one of share) await commitShared(commit, [one]);
  }
}
