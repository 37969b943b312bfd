import { type CryptoProvider, equalBytes, PeerAiError } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { decodeBlock } from './block.ts';
import { type ChainPlace, checkDraft, placeAfter } from './place.ts';
import type { Rules } from './rules.ts';
import type { Block } from './types.ts';

/**
 * A decided block in its place: its bytes, the block before, its entries, their authors' signatures, and a certificate under the epoch that the
 * blocks before it say. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED, BLOCK_WRONG, INVALID_SIGNATURE.
 */
export function openNextBlock(
  crypto: CryptoProvider,
  rules: Pick<Rules, 'quorumOf' | 'isCertified'>,
  place: ChainPlace,
  bytes: Uint8Array,
): { readonly block: Block; readonly next: ChainPlace } {
  const block = decodeBlock(crypto, bytes);
  checkDraft(crypto, place, block);
  const { header, hash, certificate } = block;
  const { kind, height } = certificate;
  if (kind !== 'finalize' || height !== header.height || !equalBytes(certificate.block, hash))
    throw new PeerAiError<LedgerErrorCode>('BLOCK_WRONG', 'the certificate is for something else', {
      reason: 'the certificate is for something else',
    });
  const quorum = rules.quorumOf(place.epoch.members.length);
  if (!rules.isCertified(crypto, place.group, place.epoch, quorum, certificate))
    throw new PeerAiError('INVALID_SIGNATURE', 'no quorum of its members signed this block');
  return { block, next: placeAfter(place, block) };
}
