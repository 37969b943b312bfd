import { type CryptoProvider, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { decodeBlock } from '../../agreement/block.ts';
import type { LedgerErrorCode } from '../../errors.ts';
import { openCheckpoint, type TreeHead } from '../../log/note.ts';
import { createHeadTree } from './tree.ts';

/**
 * Whether a signed head is that of these blocks, by the bytes alone. Throws as `openCheckpoint`; NOT_OUR_LOG for another key's
 * note; BLOCK_WRONG when it is the head of other blocks or of more than these.
 *
 * @param key - of the group: the origin of its notes.
 * @param blocks - as they are stored, from the first on.
 */
export async function verifyChainHead(
  crypto: CryptoProvider,
  key: PeerId,
  note: string,
  blocks: AsyncIterable<Uint8Array>,
): Promise<TreeHead> {
  const head = openCheckpoint(crypto, note);
  if (head.origin !== key) throw new PeerAiError<LedgerErrorCode>('NOT_OUR_LOG', 'this head is of another key');
  const tree = createHeadTree(crypto);
  for await (const bytes of blocks) {
    if (BigInt(tree.size) >= head.size) break;
    tree.add(decodeBlock(crypto, bytes).hash);
  }
  if (BigInt(tree.size) !== head.size || !equalBytes(tree.rootAt(tree.size), head.root))
    throw new PeerAiError<LedgerErrorCode>('BLOCK_WRONG', 'this head is of other blocks');
  return head;
}
