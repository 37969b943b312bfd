import {
  type CryptoProvider,
  type EntryBody,
  equalBytes,
  fromHex,
  PeerAiError,
  type PeerId,
  toHex,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { betweenTwo } from '../lease/between-two.ts';
import type { SignerDeps } from '../receipt/issue.ts';
import { marketLimits as limits } from './limits.ts';
import { isOfChunk, type ShownLeaf, type StoredChunk } from './storage-tree.ts';

/** What a lender answered to a challenge, in its own name: this is what makes a wrong answer provable to others. */
export interface StorageAnswer {
  readonly version: 1;
  /** The id of the lease, 32 bytes. */
  readonly lease: Uint8Array;
  readonly lender: PeerId;
  readonly borrower: PeerId;
  /** The place of the receipt that the answer is for, from 1. */
  readonly n: number;
  /** Of the challenge, 32 bytes. */
  readonly nonce: Uint8Array;
  /** SHA-256 over the leaves that were shown, as `encodeShown` writes them. */
  readonly shown: Uint8Array;
}
/** A leaf as it was shown, with the size of its chunk: enough to check it by. */
export type SizedLeaf = ShownLeaf & { readonly chunkBytes: number };

/** An answer that its lender signed, and the leaves it was about, where one is not of the chunk it is said to be of. */
export const falseAnswerKind = 'false-storage-answer';

const form = betweenTwo<StorageAnswer, 'lender'>({
  first: 'lender',
  name: 'answer',
  tag: 'peerai/storage-answer/1',
  bytesMax: limits.documentBytesMax,
  body: wire.message({
    version: wire.uint32(1),
    lease: wire.bytes(2),
    lender: wire.bytes(3),
    borrower: wire.bytes(4),
    n: wire.uint32(5),
    nonce: wire.bytes(6),
    shown: wire.bytes(7),
  }),
  check({ lease, nonce, shown, n, lender, borrower }) {
    if (lease.length !== 32 || nonce.length !== 32 || shown.length !== 32 || n === 0 || lender === borrower)
      throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'a field of the storage answer has an impossible value');
  },
});
const leaf = wire.message({
  chunk: wire.bytes(1),
  chunkBytes: wire.uint32(2),
  index: wire.uint32(3),
  leaf: wire.bytes(4),
  path: wire.repeated(wire.bytes(5), limits.shownPathMax),
});
const shownCodec = wire.message({ leaves: wire.repeated(wire.nested(1, leaf), limits.shownLeavesMax) });
const falseCodec = wire.message({ signed: wire.bytes(1), shown: wire.bytes(2) });

/** Leaves in the order of the answer, with the size of each one's chunk; a chunk that is not among them has size 0. */
export function encodeShown(leaves: readonly ShownLeaf[], chunks: readonly StoredChunk[]): Uint8Array {
  const sizes = new Map(chunks.map(({ id, bytes }) => [id, bytes]));
  return shownCodec.encode({
    leaves: leaves.map(({ chunk, index, leaf: bytes, path }) => ({
      chunk: fromHex(chunk),
      chunkBytes: sizes.get(chunk) ?? 0,
      index,
      leaf: bytes,
      path: [...path],
    })),
  });
}

/** The lender's signature. Throws INVALID_FORMAT. */
export const signStorageAnswer = ({ identity }: Pick<SignerDeps, 'identity'>, answer: StorageAnswer): Uint8Array =>
  form.begin(identity, answer);

/** With its signature checked. Throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED. */
export const openStorageAnswer = (crypto: CryptoProvider, bytes: Uint8Array): StorageAnswer =>
  form.open(crypto, bytes).statement;

/** What others can check, from what the lender signed and the leaves it showed. */
export const falseAnswerEntry = (signed: Uint8Array, shown: Uint8Array): EntryBody => ({
  kind: falseAnswerKind,
  body: falseCodec.encode({ signed, shown }),
});

/**
 * An answer that is false by its own words: the lender signed for a leaf that is not of the chunk it names. A leaf that is missing, or of
 * another chunk, is proof of nothing to who does not know what was stored; nor is an answer that never came.
 *
 * Throws RECEIPT_WRONG for an answer in which each leaf is right, INVALID_FORMAT, INVALID_SIGNATURE, LIMIT_EXCEEDED.
 */
export function openFalseAnswer(crypto: CryptoProvider, bytes: Uint8Array): StorageAnswer {
  if (bytes.length > limits.falseAnswerBytesMax)
    throw new PeerAiError<LedgerErrorCode>(
      'LIMIT_EXCEEDED',
      `an answer with its leaves has at most ${limits.falseAnswerBytesMax} bytes`,
    );
  const { signed, shown } = falseCodec.decode(bytes);
  const answer = openStorageAnswer(crypto, signed);
  if (!equalBytes(crypto.sha256(shown), answer.shown))
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'these are not the leaves that the lender signed for');
  const leaves = shownCodec.decode(shown).leaves.map((one): SizedLeaf => ({ ...one, chunk: toHex(one.chunk) }));
  if (leaves.every((one) => isOfChunk(crypto, one, one.chunkBytes)))
    throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', 'each leaf of this answer is of its chunk', {
      field: 'shown',
    });
  return answer;
}
