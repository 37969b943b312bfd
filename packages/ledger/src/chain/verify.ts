import { type CryptoProvider, PeerAiError } from '@peerai/core-protocol';
import { openNextBlock } from '../agreement/next-block.ts';
import { firstPlace } from '../agreement/place.ts';
import { simplexRules } from '../agreement/rules.ts';
import type { Epoch, Genesis } from '../agreement/types.ts';

/** `height`: the newest block when all are good, else the first one that is not, or is missing; 0 speaks of the genesis. */
export type ChainVerification =
  | { readonly ok: true; readonly height: number; readonly head: Uint8Array; readonly epoch: Epoch }
  | { readonly ok: false; readonly height: number; readonly code: string; readonly reason: string };

/**
 * Whether these blocks are the chain of this group, from the first on: for anybody, offline, with nothing but the genesis and the bytes. Each block
 * must name the one before, hold the entries of its root, each signed by a member and in its author's order, and carry a quorum's certificate under
 * the epoch that the blocks before it say. It can't say that there are no newer blocks. Names the first bad one. Throws what the source throws.
 */
export async function verifyChain(
  crypto: CryptoProvider,
  genesis: Genesis,
  blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<ChainVerification> {
  let height = 0;
  try {
    let place = firstPlace(crypto, genesis);
    height = 1;
    for await (const bytes of blocks) {
      place = openNextBlock(crypto, simplexRules, place, bytes).next;
      height += 1;
    }
    return { ok: true, height: place.height, head: place.hash, epoch: place.epoch };
  } catch (error) {
    if (
      !PeerAiError.is(error, 'INVALID_FORMAT', 'INVALID_VERSION', 'INVALID_SIGNATURE', 'LIMIT_EXCEEDED', 'BLOCK_WRONG')
    )
      throw error;
    return { ok: false, height, code: error.code, reason: error.message };
  }
}
