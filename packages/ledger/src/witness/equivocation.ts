import {
  concatBytes,
  type CryptoProvider,
  equalBytes,
  PeerAiError,
  type PeerId,
  publicKeyFromPeerId,
  utf8,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { consistencyPath, rootAt, type SubtreeReader, verifyConsistency } from '../log/merkle.ts';
import { checkpointText, noteKeyId, openCheckpoint, signatureLine, splitNote, type TreeHead } from '../log/note.ts';
import { limits as logLimits } from '../limits.ts';
import { witnessLimits as limits } from './limits.ts';

/**
 * Two histories signed by one key. `size`: two roots for one size. `growth`: the larger head shows another root at the smaller one's size.
 * Two heads of different sizes alone prove nothing, whatever they say; it takes a path from the larger one's own tree.
 */
export interface Equivocation {
  readonly origin: PeerId;
  readonly kind: 'size' | 'growth';
  /** The smaller one first. */
  readonly heads: readonly [TreeHead, TreeHead];
}

const codec = wire.message({
  version: wire.uint32(1),
  /** Bare checkpoints: the origin's own signature and no other. */
  first: wire.string(2),
  second: wire.string(3),
  /** Of `growth`: the root that the larger tree has at the smaller size. */
  root: wire.optional(wire.bytes(4)),
  /** RFC 6962 consistency from that root to the larger head. */
  path: wire.repeated(wire.bytes(5), logLimits.pathHashesMax),
});

/**
 * Checks evidence with nothing but its bytes.
 *
 * Why `growth` holds: the path leads from `root` at the smaller size to the larger signed root, so by the collision resistance of SHA-256 `root` is what the
 * larger tree has there. The same key signed another root for that size. An honest writer has one tree only and can't be shown to have two.
 * Throws PROOF_WRONG where nothing is proven, INVALID_SIGNATURE, INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED.
 */
export function verifyEquivocation(crypto: CryptoProvider, evidence: Uint8Array): Equivocation {
  if (evidence.length > limits.evidenceBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the evidence is too long');
  const { version, first, second, root, path } = codec.decode(evidence);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `evidence version ${version}; this program reads 1`);
  const heads = [openCheckpoint(crypto, first), openCheckpoint(crypto, second)] as const;
  const [a, b] = heads;
  if (a.origin !== b.origin) throw wrong('the two checkpoints are of two logs');
  if (a.size === b.size) {
    if (equalBytes(a.root, b.root)) throw wrong('the two checkpoints say the same');
    return { origin: a.origin, kind: 'size', heads };
  }
  if (root?.length !== 32) throw wrong('two sizes of one log and no path between them');
  if (equalBytes(root, a.root)) throw wrong('the larger tree begins with the smaller one');
  const proof = { size1: a.size, size2: b.size, root1: root, root2: b.root, path };
  if (!verifyConsistency(crypto, proof)) throw wrong('the path is not of the larger tree');
  return { origin: a.origin, kind: 'growth', heads };
}

/** Evidence out of two notes of one size with two roots, in either order; nothing where they agree or differ in size. */
export function evidenceOfSize(crypto: CryptoProvider, one: string, other: string): Uint8Array | undefined {
  const [a, b] = [openCheckpoint(crypto, one), openCheckpoint(crypto, other)];
  if (a.origin !== b.origin || a.size !== b.size || equalBytes(a.root, b.root)) return undefined;
  const [first = '', second = ''] = [bare(crypto, one), bare(crypto, other)].toSorted();
  return codec.encode({ version: 1, first, second, root: undefined, path: [] });
}

/** What the tree of a larger head had at a smaller size, as somebody says. */
export interface PrefixClaim {
  readonly root: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** Evidence out of what somebody says of a larger head; nothing where the claim is not of its tree, or agrees. */
export function evidenceOfGrowth(
  crypto: CryptoProvider,
  smaller: string,
  larger: string,
  { root, path }: PrefixClaim,
): Uint8Array | undefined {
  const evidence = codec.encode({ version: 1, first: bare(crypto, smaller), second: bare(crypto, larger), root, path });
  try {
    verifyEquivocation(crypto, evidence);
    return evidence;
  } catch (error) {
    if (PeerAiError.is(error, 'PROOF_WRONG')) return undefined;
    throw error;
  }
}

/** What the tree behind `read` had at `size`, for `evidenceOfGrowth` or to see that it agrees. Needs 0 < size ≤ total. */
export async function claimPrefix(
  crypto: CryptoProvider,
  read: SubtreeReader,
  size: bigint,
  total: bigint,
): Promise<PrefixClaim> {
  return { root: await rootAt(crypto, read, size), path: await consistencyPath(crypto, read, size, total) };
}

/** For a log and a note that contradict each other: FORKED with the evidence, for who catches it. */
export const forked = (origin: PeerId, evidence: Uint8Array): PeerAiError<'FORKED'> =>
  new PeerAiError('FORKED', `${origin} signed two histories of one log`, { origin, evidence });

/** The evidence that a FORKED error carries. */
export function evidenceIn(error: unknown): Uint8Array | undefined {
  if (!PeerAiError.is(error, 'FORKED')) return undefined;
  const { evidence } = error.details;
  return evidence instanceof Uint8Array ? evidence : undefined;
}

/** The note with its writer's signature alone: cosignatures make two notes of one head different bytes. */
export function bare(crypto: CryptoProvider, note: string): string {
  const head = openCheckpoint(crypto, note);
  const keyId = noteKeyId(crypto, head.origin, publicKeyFromPeerId(head.origin));
  // Anybody may write lines under another's name: only that of its key was checked.
  const own = splitNote(note).signatures.find(
    ({ name, blob }) => name === head.origin && equalBytes(blob.subarray(0, 4), keyId),
  );
  return own === undefined ? note : `${checkpointText(head)}\n${signatureLine(own)}`;
}

const wrong = (reason: string): PeerAiError =>
  new PeerAiError<LedgerErrorCode>('PROOF_WRONG', `this proves no fork: ${reason}`);

/** SHA-256 of the pair of heads: one name for one offence, whoever tells of it. */
export const offenceId = (crypto: CryptoProvider, { heads: [a, b] }: Equivocation): Uint8Array =>
  crypto.sha256(concatBytes(utf8(checkpointText(a)), utf8(checkpointText(b))));
