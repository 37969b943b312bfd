import {
  type CryptoProvider,
  equalBytes,
  type Identity,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  sealSigned,
  wire,
} from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { CheckedTerms } from './terms.ts';

/** A member's keys for one sum. */
export interface MemberKeys {
  readonly peer: PeerId;
  /** X25519, for the masks that cancel. */
  readonly maskKey: Uint8Array;
  /** X25519, for what the aggregator passes on and must not read. */
  readonly sealKey: Uint8Array;
  /** SHA-256 of the seed of the member's own mask: who rebuilds the seed sees whether it is right. */
  readonly seedHash: Uint8Array;
}

/** Two 33-byte Shamir shares of one member's secrets. */
export interface ShareOfSecrets {
  readonly key: Uint8Array;
  readonly seed: Uint8Array;
}

/** What one member gives out in the end: for those who are in the sum a share of the seed, for those who left one of the key. Never both of one. */
export interface Unmasking {
  readonly seeds: ReadonlyMap<PeerId, Uint8Array>;
  readonly keys: ReadonlyMap<PeerId, Uint8Array>;
}

const keysTag = 'peerai/masked-sum/1 keys';
const listTag = 'peerai/masked-sum/1 included';

const keysForm = wire.message({
  terms: wire.bytes(1),
  maskKey: wire.bytes(2),
  sealKey: wire.bytes(3),
  seedHash: wire.bytes(4),
});
const listForm = wire.message({
  terms: wire.bytes(1),
  included: wire.repeated(wire.string(2), limits.maskedMembersMax),
});
const sharesForm = wire.message({ key: wire.bytes(1), seed: wire.bytes(2) });
const shareForm = wire.message({ peer: wire.string(1), share: wire.bytes(2) });
const unmaskingForm = wire.message({
  seeds: wire.repeated(wire.nested(1, shareForm), limits.maskedMembersMax),
  keys: wire.repeated(wire.nested(2, shareForm), limits.maskedMembersMax),
});

export function signKeys(identity: Identity, terms: CheckedTerms, keys: Omit<MemberKeys, 'peer'>): Uint8Array {
  return sealSigned(identity, keysTag, keysForm.encode({ terms: terms.hash, ...keys }));
}

/** Every member's keys once, in the members' order. Throws INVALID_FORMAT, INVALID_SIGNATURE; REFUSED for other terms, a stranger or a repeat. */
export function openKeys(
  crypto: CryptoProvider,
  terms: CheckedTerms,
  sealed: readonly Uint8Array[],
): ReadonlyMap<PeerId, MemberKeys> {
  const found = new Map<PeerId, MemberKeys>();
  for (const one of sealed) {
    const { body, signer } = openSigned(crypto, keysTag, one);
    const { terms: hash, ...keys } = keysForm.decode(body);
    const peer = memberOf(terms, signer, hash);
    if (found.has(peer)) throw refused('A member’s keys came twice.', { peer });
    if (keys.maskKey.length !== 32 || keys.sealKey.length !== 32 || keys.seedHash.length !== 32)
      throw new PeerAiError<NnErrorCode>('INVALID_FORMAT', 'A key or hash has another length than 32 bytes.', { peer });
    found.set(peer, { peer, ...keys });
  }
  return inOrder(terms, found);
}

export function signIncluded(identity: Identity, terms: CheckedTerms, included: readonly PeerId[]): Uint8Array {
  return sealSigned(identity, listTag, listForm.encode({ terms: terms.hash, included }));
}

/** Who signed exactly this list. Throws INVALID_FORMAT, INVALID_SIGNATURE; REFUSED when somebody signed another one. */
export function openIncluded(
  crypto: CryptoProvider,
  terms: CheckedTerms,
  included: readonly PeerId[],
  sealed: readonly Uint8Array[],
): ReadonlySet<PeerId> {
  const signers = new Set<PeerId>();
  for (const one of sealed) {
    const { body, signer } = openSigned(crypto, listTag, one);
    const list = listForm.decode(body);
    const peer = memberOf(terms, signer, list.terms);
    if (list.included.length !== included.length || list.included.some((name, index) => name !== included[index]))
      throw refused('A member was told another list of who is in the sum.', { peer });
    signers.add(peer);
  }
  return signers;
}

export const encodeShares = (shares: ShareOfSecrets): Uint8Array => sharesForm.encode(shares);

/** Throws INVALID_FORMAT. */
export const decodeShares = (bytes: Uint8Array): ShareOfSecrets => sharesForm.decode(bytes);

export function encodeUnmasking({ seeds, keys }: Unmasking): Uint8Array {
  const rows = (shares: ReadonlyMap<PeerId, Uint8Array>) => Array.from(shares, ([peer, share]) => ({ peer, share }));
  return unmaskingForm.encode({ seeds: rows(seeds), keys: rows(keys) });
}

/** Throws INVALID_FORMAT; REFUSED when it names somebody twice or holds both shares of one. */
export function decodeUnmasking(terms: CheckedTerms, bytes: Uint8Array): Unmasking {
  const { seeds, keys } = unmaskingForm.decode(bytes);
  const named = [...seeds, ...keys].map(({ peer }) => peer as PeerId);
  if (new Set(named).size !== named.length) throw refused('An unmasking names a member twice.');
  for (const peer of named)
    if (!terms.members.includes(peer)) throw refused('An unmasking names a stranger.', { peer });
  const mapOf = (rows: typeof seeds) => new Map(rows.map(({ peer, share }) => [peer as PeerId, share]));
  return { seeds: mapOf(seeds), keys: mapOf(keys) };
}

/** The entries in the members' order. */
export function inOrder<T>(terms: CheckedTerms, entries: ReadonlyMap<PeerId, T>): ReadonlyMap<PeerId, T> {
  return new Map(
    terms.members.flatMap((peer) => {
      const entry = entries.get(peer);
      return entry === undefined ? [] : [[peer, entry] as const];
    }),
  );
}

export function refused(text: string, details: Readonly<Record<string, unknown>> = {}): PeerAiError<'REFUSED'> {
  return new PeerAiError('REFUSED', text, details);
}

function memberOf(terms: CheckedTerms, signer: Uint8Array, hash: Uint8Array): PeerId {
  const peer = peerIdFromPublicKey(signer);
  if (!terms.members.includes(peer)) throw refused('Somebody who is no member signed.', { peer });
  if (!equalBytes(hash, terms.hash)) throw refused('A member signed other terms.', { peer });
  return peer;
}
