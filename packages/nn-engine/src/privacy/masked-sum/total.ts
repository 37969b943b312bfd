import { type CryptoProvider, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { combine } from 'shamir-secret-sharing';

import type { NnErrorCode } from '../../errors.ts';
import { addStream, pairSeed, pairSign } from './masks.ts';
import { seedHashOf } from './member.ts';
import { decodeUnmasking, type MemberKeys, openKeys, type Unmasking } from './messages.ts';
import { type CheckedTerms, checkTerms, type SumTerms } from './terms.ts';

/** All that an aggregator has in the end: it never had more of one member than noise. */
export interface SumParts {
  /** What `advertise` gave. */
  readonly keys: readonly Uint8Array[];
  /** Members whose shares were passed on: those missing in `masked` left afterwards. */
  readonly shared: readonly PeerId[];
  readonly masked: ReadonlyMap<PeerId, Uint32Array>;
  /** What `unmask` gave, by member. */
  readonly unmaskings: ReadonlyMap<PeerId, Uint8Array>;
}

/**
 * The sum of the inputs of all in `masked`, modulo 2^32.
 *
 * Throws TOO_FEW_UPDATES with fewer unmaskings than the threshold; SHARES_WRONG naming the member whose secret could not be rebuilt;
 * SHAPE_MISMATCH, INVALID_FORMAT, INVALID_SIGNATURE, REFUSED.
 */
export async function maskedTotal(crypto: CryptoProvider, wanted: SumTerms, parts: SumParts): Promise<Uint32Array> {
  const terms = checkTerms(crypto, wanted);
  const keys = openKeys(crypto, terms, parts.keys);
  const unmaskings = Array.from(parts.unmaskings.values(), (bytes) => decodeUnmasking(terms, bytes));
  const total = new Uint32Array(terms.size);
  for (const [peer, masked] of parts.masked) {
    if (masked.length !== terms.size)
      throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', 'A masked input has another length than the sum.', {
        peer,
        expected: terms.size,
        received: masked.length,
      });
    for (let index = 0; index < masked.length; index += 1) total[index] = (total[index] ?? 0) + (masked[index] ?? 0);
  }
  for (const peer of parts.masked.keys()) {
    const { seedHash } = keysOf(keys, peer);
    const seed = await rebuilt(terms, peer, sharesOf(unmaskings, 'seeds', peer), (secret) =>
      equalBytes(seedHashOf(crypto, secret), seedHash),
    );
    addStream(crypto, total, seed, -1);
  }
  for (const gone of parts.shared.filter((peer) => !parts.masked.has(peer))) {
    const { maskKey } = keysOf(keys, gone);
    const secret = await rebuilt(terms, gone, sharesOf(unmaskings, 'keys', gone), (found) =>
      equalBytes(crypto.x25519.publicKey(found), maskKey),
    );
    for (const peer of parts.masked.keys())
      // What `peer` added for the one who left, taken off again.
      addStream(crypto, total, pairSeed(crypto, terms, secret, keysOf(keys, peer)), pairSign(gone, peer));
  }
  return total;
}

/** From the first shares that fit; each share is left out once, so that a single wrong one does no harm. */
async function rebuilt(
  terms: CheckedTerms,
  peer: PeerId,
  shares: readonly Uint8Array[],
  fits: (secret: Uint8Array) => boolean,
): Promise<Uint8Array> {
  if (shares.length < terms.threshold)
    throw new PeerAiError<NnErrorCode>(
      'TOO_FEW_UPDATES',
      `${terms.threshold} members must stay to the end; ${shares.length} did.`,
      { needed: terms.threshold, passed: shares.length },
    );
  const whole = shares.slice(0, terms.threshold);
  const choices = [
    whole,
    ...shares.slice(terms.threshold).flatMap((spare) => whole.map((_, out) => whole.with(out, spare))),
  ];
  for (const choice of choices) {
    const secret = await combine([...choice]).catch(() => undefined);
    if (secret !== undefined && secret.length === 32 && fits(secret)) return secret;
  }
  throw new PeerAiError<NnErrorCode>('SHARES_WRONG', 'The shares of a member’s secret do not give it back.', { peer });
}

function sharesOf(unmaskings: readonly Unmasking[], kind: keyof Unmasking, peer: PeerId): readonly Uint8Array[] {
  return unmaskings.flatMap((unmasking) => unmasking[kind].get(peer) ?? []);
}

function keysOf(keys: ReadonlyMap<PeerId, MemberKeys>, peer: PeerId): MemberKeys {
  const found = keys.get(peer);
  if (found === undefined) throw new PeerAiError('REFUSED', 'Somebody who sent no keys is in the sum.', { peer });
  return found;
}
