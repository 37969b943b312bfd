import { equalBytes, PeerAiError, parsePeerId, type PeerId, peerIdFromPublicKey, wire } from '@peerai/core-protocol';
import { ed25519, ed25519_FROST as frost } from '@noble/curves/ed25519.js';

import type { LedgerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';

/** One member's part of a group's key. `share` is secret: whoever has as many of them as the threshold signs as the group. */
export interface GroupKey {
  /** The group as an origin: the peer id of its public key, whose private key is nowhere. */
  readonly group: PeerId;
  /** In order; a member's number is its place, from 1. */
  readonly members: readonly PeerId[];
  readonly threshold: number;
  readonly self: PeerId;
  readonly share: Uint8Array;
  /** Commitments to the group's polynomial, the public key first. */
  readonly commitments: readonly Uint8Array[];
  /** What each member's part of a signature is checked against, in the members' order. */
  readonly verifyingShares: readonly Uint8Array[];
}

const keyForm = wire.message({
  members: wire.repeated(wire.string(1), limits.groupMembersMax),
  threshold: wire.uint32(2),
  self: wire.string(3),
  share: wire.bytes(4),
  commitments: wire.repeated(wire.bytes(5), limits.groupMembersMax),
  verifyingShares: wire.repeated(wire.bytes(6), limits.groupMembersMax),
});

/** The bytes to keep, secret share included: store them as an identity's key is stored. */
export const encodeGroupKey = (key: GroupKey): Uint8Array => keyForm.encode(key);

/** Throws INVALID_FORMAT for what is no key, or one whose parts do not belong together; LIMIT_EXCEEDED. */
export function decodeGroupKey(bytes: Uint8Array): GroupKey {
  const key = keyForm.decode(bounded(bytes));
  const members = checkMembers(key.members.map(parsePeerId), key.threshold);
  const { share, commitments, verifyingShares, threshold } = key;
  const self = members.find((peer) => peer === key.self);
  const [publicKey] = commitments;
  const whole = share.length === 32 && [...commitments, ...verifyingShares].every(isElement);
  const fit = commitments.length === threshold && verifyingShares.length === members.length;
  if (!whole || !fit || self === undefined || publicKey === undefined) throw wrong('This is no key of a group.');
  const decoded = { ...key, members, self, group: peerIdFromPublicKey(publicKey) };
  const own = verifyingShares[members.indexOf(self)] ?? publicKey;
  const point = guarded(() => {
    frost.validateSecret({ identifier: identifierOf(decoded, self), signingShare: share }, publicOf(decoded));
    return ed25519.Point.BASE.multiply(ed25519.Point.Fn.fromBytes(share)).toBytes();
  });
  if (point === undefined || !equalBytes(point, own)) throw wrong('The share is not of this group.');
  return decoded;
}

/** The members in order. Throws INVALID_FORMAT for fewer than two, one twice, a threshold outside 2 … members; LIMIT_REACHED for too many. */
export function checkMembers(members: readonly PeerId[], threshold: number): readonly PeerId[] {
  const { groupMembersMax: limit } = limits;
  const sorted = [...new Set(members)].toSorted();
  if (members.length > limit)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_REACHED', `A group has ${limit} members at most.`, {
      limit,
      received: members.length,
    });
  if (sorted.length !== members.length) throw wrong('A member is named twice.');
  if (!Number.isSafeInteger(threshold) || threshold < 2 || threshold > sorted.length)
    throw wrong('A group signs with two members at least, and with all of them at most.');
  return sorted;
}

export const identifierOf = ({ members }: Pick<GroupKey, 'members'>, peer: PeerId): string =>
  frost.Identifier.fromNumber(members.indexOf(peer) + 1);

/** A group's public part as the library takes it. */
export function publicOf(key: GroupKey): Parameters<typeof frost.verifyShare>[0] {
  const { members, threshold, commitments, verifyingShares } = key;
  return {
    signers: { min: threshold, max: members.length },
    commitments: [...commitments],
    verifyingShares: Object.fromEntries(
      members.map((peer, index) => [identifierOf(key, peer), verifyingShares[index] ?? new Uint8Array()]),
    ),
  };
}

/** Whether these are the canonical bytes of a point of the prime-order group that is not its zero: RFC 9591 section 3.1. */
export function isElement(bytes: Uint8Array): boolean {
  return (
    guarded(() => {
      const point = ed25519.Point.fromBytes(bytes);
      return !point.is0() && point.isTorsionFree() && equalBytes(point.toBytes(), bytes);
    }) ?? false
  );
}

/** Undefined where the library throws: its errors are for programmers, and every one of them here is a stranger's doing. */
export function guarded<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Throws LIMIT_EXCEEDED. */
export function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= limits.groupMessageBytesMax) return bytes;
  throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', 'the message of a group is too long', {
    limit: limits.groupMessageBytesMax,
  });
}

export const wrong = (text: string): PeerAiError => new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', text);

/** Names who sent what does not fit. */
export function liar(peers: readonly PeerId[], text: string): PeerAiError {
  return new PeerAiError<LedgerErrorCode>('SIGNER_WRONG', text, { peers });
}
