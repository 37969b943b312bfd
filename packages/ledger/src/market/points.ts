import {
  type CryptoProvider,
  type EntryBody,
  type Identity,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  sealSigned,
  utf8,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { marketLimits as limits } from './limits.ts';

/**
 * A group's own points on the move. They are the group's, worth what the group says; credits between two peers are another thing and never become points.
 * `issue`: new ones, by somebody whom a decision of the group names. `transfer`: from one member to another.
 */
export interface PointsMove {
  readonly version: 1;
  readonly kind: 'issue' | 'transfer';
  readonly group: string;
  /** Who issues, or gives; signs. */
  readonly from: PeerId;
  readonly to: PeerId;
  /** Its place among the moves of this kind by `from` in this group, from 1: a place is used once. */
  readonly n: number;
  /** Micro-points. */
  readonly amount: bigint;
  /** Of an issue: SHA-256 of the decision that allows it, 32 bytes. */
  readonly decision?: Uint8Array | undefined;
  readonly timeMs: number;
}
/** What a group has decided: who may issue how many micro-points under this decision, all issues together. */
export interface PointsPolicy {
  readonly group: string;
  /** SHA-256 of the decision's entry. */
  readonly decision: Uint8Array;
  readonly issuers: ReadonlyMap<PeerId, bigint>;
}

export const pointsKind = 'points';
const tag = 'peerai/points/1';
const bodyCodec = wire.message({
  version: wire.uint32(1),
  kind: wire.oneOf(2, ['issue', 'transfer']),
  group: wire.string(3),
  to: wire.bytes(4),
  n: wire.uint53(5),
  amount: wire.uint64(6),
  decision: wire.optional(wire.bytes(7)),
  timeMs: wire.uint53(8),
});

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function signPoints(identity: Identity, move: Omit<PointsMove, 'from' | 'version'>): Uint8Array {
  const whole: PointsMove = { version: 1, from: identity.peer, ...move };
  checkMove(whole);
  const to = publicKeyFromPeerId(move.to);
  return sealSigned(identity, tag, bodyCodec.encode({ ...whole, to, decision: move.decision }));
}

/** With its signature checked. Throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED. */
export function openPoints(crypto: CryptoProvider, bytes: Uint8Array): PointsMove {
  if (bytes.length > limits.pointsBytesMax)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', `a move of points has ${limits.pointsBytesMax} bytes`);
  const { body, signer } = openSigned(crypto, tag, bytes);
  const { version, to, ...rest } = bodyCodec.decode(body);
  if (version !== 1)
    throw new PeerAiError<LedgerErrorCode>('INVALID_VERSION', `points version ${version}; this program reads 1`);
  const move: PointsMove = { version, from: peerIdFromPublicKey(signer), to: peerIdFromPublicKey(to), ...rest };
  checkMove(move);
  return move;
}

export const pointsEntry = (bytes: Uint8Array): EntryBody => ({ kind: pointsKind, body: bytes });

function checkMove({ kind, group, from, to, n, amount, decision }: PointsMove): void {
  if (from === to) throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'nobody gives points to himself');
  const isDecided = kind === 'issue' ? decision?.length === 32 : decision === undefined;
  if (!isDecided || group === '' || n === 0 || amount === 0n)
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'a field of this move has an impossible value');
  if (utf8(group).length > limits.groupBytesMax || amount > limits.pointsMicroMax)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', 'a field of this move is over its limit');
}
