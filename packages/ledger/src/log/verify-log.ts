import { type CryptoProvider, equalBytes } from '@peerai/core-protocol';
import { checkEntry, type Verification, type VerifyOptions } from './check.ts';
import { damaged, damageOf, orDamaged } from './damaged.ts';
import { decodeEntry } from './entry.ts';
import { appendLeaf, type CompactRange, emptyRange, leafHash, rootOf } from './merkle.ts';
import { openCheckpoint, type TreeHead } from './note.ts';
import { advance, type Progress, startProgress } from './progress.ts';

/** A log from anywhere: its newest checkpoint and all its entries in order. */
export interface LogSource {
  readonly note: string;
  readonly entries: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * Checks a whole log against its signed checkpoint: places, previous hashes, receipts, the root. The first bad entry is named; where a link
 * between two entries is broken, what comes after decides which of the two was changed. Throws only what `source` or the signal throws.
 */
export async function verifyLog(
  crypto: CryptoProvider,
  source: LogSource,
  options: VerifyOptions = {},
): Promise<Verification> {
  let head: TreeHead | undefined;
  let progress: Progress | undefined;
  const counts = () => ({
    checked: progress?.range.size ?? 0n,
    receipts: progress?.receipts.count ?? 0,
    rounds: progress?.rounds ?? 0,
  });
  try {
    head = orDamaged(0n, () => openCheckpoint(crypto, source.note));
    progress = startProgress(crypto, head.origin);
    await checkEntries(crypto, head, progress, source, options);
    options.onProgress?.(head.size, head.size);
    return { ok: true, size: head.size, ...counts() };
  } catch (error) {
    const firstBad = damageOf(error);
    if (firstBad === undefined) throw error;
    return { ok: false, size: head?.size ?? 0n, ...counts(), firstBad };
  }
}

async function checkEntries(
  crypto: CryptoProvider,
  head: TreeHead,
  progress: Progress,
  source: LogSource,
  options: VerifyOptions,
): Promise<void> {
  /** The tree without the newest good entry: needed when that one turns out to be the changed one. */
  let before: CompactRange = emptyRange;
  let broken: Uint8Array | undefined;
  for await (const bytes of source.entries) {
    options.signal?.throwIfAborted();
    if (broken !== undefined) throw blame(progress, follows(crypto, bytes, broken));
    const index = progress.range.size;
    if (index === head.size) throw damaged(index, 'there are more entries than were signed');
    const claimed = orDamaged(index, () => decodeEntry(bytes)).previous;
    const entry = checkEntry(bytes, { index, previous: claimed, origin: head.origin });
    if (!equalBytes(claimed, progress.previous)) {
      broken = bytes;
      continue;
    }
    before = progress.range;
    advance(crypto, progress, entry, leafHash(crypto, bytes));
    if (progress.range.size % 256n === 0n) options.onProgress?.(progress.range.size, head.size);
  }
  if (broken !== undefined) {
    const claimed = appendLeaf(crypto, before, decodeEntry(broken).previous);
    const root = rootOf(crypto, appendLeaf(crypto, claimed, leafHash(crypto, broken)));
    throw blame(progress, equalBytes(root, head.root));
  }
  if (progress.range.size !== head.size) throw damaged(progress.range.size, 'the entry is missing');
  if (!equalBytes(rootOf(crypto, progress.range), head.root)) {
    throw damaged(head.size > 0n ? head.size - 1n : 0n, 'the entries are not those that were signed');
  }
}

/** Whether the entry after a broken link still vouches for the one at the link. */
function follows(crypto: CryptoProvider, next: Uint8Array, broken: Uint8Array): boolean {
  try {
    return equalBytes(decodeEntry(next).previous, leafHash(crypto, broken));
  } catch {
    return false;
  }
}

function blame(progress: Progress, isLaterIntact: boolean): Error {
  const index = progress.range.size;
  return isLaterIntact && index > 0n
    ? damaged(index - 1n, 'the entry after it follows another one')
    : damaged(index, 'it does not follow the entry before it');
}
