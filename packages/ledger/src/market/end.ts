import {
  type CryptoProvider,
  type EntryBody,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { checkTwice, readTwice, signFirst, signSecond } from '../lease/signed-twice.ts';
import type { SignerDeps } from '../receipt/issue.ts';
import { marketLimits as limits } from './limits.ts';

/**
 * How a metered lease ended, or that one of nodes is disputed. With both signatures: agreed. With one: what this side says, `refunded` and `settled` when its time was over, `disputed`
 * with the hash of its evidence.
 */
export interface LeaseEnd {
  readonly version: 1;
  /** The id of the lease, 32 bytes. */
  readonly lease: Uint8Array;
  /** Signs first. */
  readonly by: PeerId;
  readonly other: PeerId;
  readonly outcome: 'settled' | 'refunded' | 'disputed';
  /** Place of the last receipt that both signed, 0 for none, and micro-credits it came to. */
  readonly n: number;
  readonly due: bigint;
  /** SHA-256 of the evidence file, 32 bytes; absent unless disputed. */
  readonly evidence?: Uint8Array | undefined;
  readonly timeMs: number;
}
export interface OpenedEnd {
  readonly end: LeaseEnd;
  readonly signedBy: 'one' | 'both';
}

export const leaseEndKind = 'lease-end';
const tag = 'peerai/lease-end/1';
const bodyCodec = wire.message({
  version: wire.uint32(1),
  lease: wire.bytes(2),
  by: wire.bytes(3),
  other: wire.bytes(4),
  outcome: wire.oneOf(5, ['settled', 'refunded', 'disputed']),
  n: wire.uint53(6),
  due: wire.uint64(7),
  evidence: wire.optional(wire.bytes(8)),
  timeMs: wire.uint53(9),
});

/** Throws INVALID_FORMAT. */
export function signEnd({ identity }: Pick<SignerDeps, 'identity'>, end: LeaseEnd): Uint8Array {
  checkEnd(end);
  const [by, other] = [publicKeyFromPeerId(end.by), publicKeyFromPeerId(end.other)];
  return signFirst(identity, tag, bodyCodec.encode({ ...end, by, other, evidence: end.evidence }));
}

/** The other side's yes under the same bytes; whether they are true is for the caller. Throws what `openEnd` throws, INVALID_FORMAT for a dispute. */
export function agreeToEnd({ crypto, identity }: SignerDeps, half: Uint8Array): Uint8Array {
  const { end } = openEnd(crypto, half);
  if (end.other !== identity.peer || end.outcome === 'disputed')
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'there is nothing to agree to for this peer');
  return signSecond(identity, tag, half);
}

/** With every signature checked. Throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED. */
export function openEnd(crypto: CryptoProvider, bytes: Uint8Array): OpenedEnd {
  const parts = readTwice(bytes, limits.documentBytesMax);
  const { version, by, other, ...rest } = bodyCodec.decode(parts.body);
  if (version !== 1)
    throw new PeerAiError<LedgerErrorCode>('INVALID_VERSION', `lease end version ${version}; this program reads 1`);
  const end: LeaseEnd = { version, by: peerIdFromPublicKey(by), other: peerIdFromPublicKey(other), ...rest };
  checkEnd(end);
  const signedBy = checkTwice(crypto, tag, parts, { first: end.by, second: end.other }) === 'both' ? 'both' : 'one';
  return { end, signedBy };
}

export const leaseEndEntry = (bytes: Uint8Array): EntryBody => ({ kind: leaseEndKind, body: bytes });

function checkEnd({ lease, by, other, outcome, n, due, evidence }: LeaseEnd): void {
  const isNothing = n === 0;
  const fits = outcome === 'disputed' ? evidence?.length === 32 : evidence === undefined;
  const isWhole = outcome === 'disputed' || (outcome === 'refunded') === isNothing;
  if (lease.length !== 32 || by === other || !fits || !isWhole || (isNothing && due !== 0n))
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'a field of the lease’s end has an impossible value');
}
