import type { CryptoProvider, PeerId } from '@peerai/core-protocol';
import { checkEntry, type Verification, type VerifyOptions } from '../log/check.ts';
import { damaged, damageOf } from '../log/damaged.ts';
import { leafHash } from '../log/merkle.ts';
import { advance, startProgress } from '../log/progress.ts';
import { type CopyState, fits } from './copy-rows.ts';

/** A copy's entries from the first on, under the checkpoint that is held: receipts must follow each other too. Throws what reading throws, but damage is named. */
export async function verifyCopy(
  {
    crypto,
    origin,
    state,
    entries,
  }: {
    readonly crypto: CryptoProvider;
    readonly origin: PeerId;
    readonly state: CopyState | undefined;
    readonly entries: (to: bigint) => AsyncIterable<Uint8Array>;
  },
  options: VerifyOptions = {},
): Promise<Verification> {
  const size = state?.head.size ?? 0n;
  const progress = startProgress(crypto, origin);
  const counts = () => ({ checked: progress.range.size, receipts: progress.receipts.count, rounds: progress.rounds });
  if (state === undefined) return { ok: true, size, ...counts() };
  try {
    for await (const bytes of entries(state.range.size)) {
      options.signal?.throwIfAborted();
      const index = progress.range.size;
      const entry = checkEntry(bytes, { index, previous: progress.previous, origin });
      advance(crypto, progress, entry, leafHash(crypto, bytes));
      if (progress.range.size % 256n === 0n) options.onProgress?.(progress.range.size, size);
    }
    if (!fits(crypto, { range: progress.range, head: state.head, path: state.path }))
      throw damaged(progress.range.size, 'the entries are not those that were signed');
    options.onProgress?.(progress.range.size, size);
    return { ok: true, size, ...counts() };
  } catch (error) {
    const firstBad = damageOf(error);
    if (firstBad === undefined) throw error;
    return { ok: false, size, ...counts(), firstBad };
  }
}
