import { type CryptoProvider, type Identity, PeerAiError, type PeerId, type Random, utf8 } from '@peerai/core-protocol';
import { split } from 'shamir-secret-sharing';

import type { NnErrorCode } from '../../errors.ts';
import { addStream, openShares, pairSeed, pairSign, sealShares, shareKey } from './masks.ts';
import {
  decodeShares,
  encodeShares,
  encodeUnmasking,
  inOrder,
  type MemberKeys,
  openIncluded,
  openKeys,
  refused,
  type ShareOfSecrets,
  signIncluded,
  signKeys,
} from './messages.ts';
import { type CheckedTerms, checkTerms, type SumTerms } from './terms.ts';

/**
 * One member of a sum whose addends nobody sees (Bonawitz et al., CCS 2017, with its check against a lying aggregator).
 *
 * The steps are called in this order, each once; what comes in may have passed through an aggregator that reads, drops and lies.
 */
export interface SumMember {
  /** Signed keys, for everybody. */
  advertise(): Uint8Array;
  /** Sealed shares of this member's secrets, one for each of the others. Throws TOO_FEW_UPDATES, REFUSED, INVALID_SIGNATURE. */
  share(keys: readonly Uint8Array[]): Promise<ReadonlyMap<PeerId, Uint8Array>>;
  /**
   * The masked input. @param input - residues modulo 2^32. @param shares - the sealed shares of those who are still there.
   * Throws SHAPE_MISMATCH, TOO_FEW_UPDATES, DECRYPTION_FAILED.
   */
  mask(input: Uint32Array, shares: ReadonlyMap<PeerId, Uint8Array>): Uint32Array;
  /** A signature for whose masked inputs are in the sum. Throws REFUSED for a second, different list; TOO_FEW_UPDATES. */
  confirm(included: readonly PeerId[]): Uint8Array;
  /** Shares that take the masks off the sum, and off nothing less. Throws TOO_FEW_UPDATES, REFUSED without enough signatures of the same list. */
  unmask(confirmations: readonly Uint8Array[]): Uint8Array;
}

interface Held {
  keys?: ReadonlyMap<PeerId, MemberKeys>;
  shares?: ReadonlyMap<PeerId, ShareOfSecrets>;
  included?: readonly PeerId[];
}

export const seedHashOf = (crypto: CryptoProvider, seed: Uint8Array): Uint8Array =>
  crypto.sha256(utf8('peerai/masked-sum/1 seed'), seed);

/** Throws INVALID_OPTION, LIMIT_REACHED; REFUSED when this peer is no member. */
export function createSumMember(
  {
    crypto,
    random,
    identity,
  }: { readonly crypto: CryptoProvider; readonly random: Random; readonly identity: Identity },
  wanted: SumTerms,
): SumMember {
  const terms = checkTerms(crypto, wanted);
  const self = identity.peer;
  if (!terms.members.includes(self)) throw refused('This peer is no member of the sum.');
  const secrets = { mask: random.bytes(32), seal: random.bytes(32), seed: random.bytes(32) };
  const own = {
    maskKey: crypto.x25519.publicKey(secrets.mask),
    sealKey: crypto.x25519.publicKey(secrets.seal),
    seedHash: seedHashOf(crypto, secrets.seed),
  };
  const held: Held = {};
  let ownShares: ShareOfSecrets | undefined;
  const way = (from: PeerId, to: PeerId, other: MemberKeys) =>
    shareKey(crypto, terms, secrets.seal, other.sealKey, { from, to });

  return {
    advertise: () => signKeys(identity, terms, own),
    async share(sealed) {
      if (held.keys !== undefined) throw refused('The shares were given out already.');
      const keys = openKeys(crypto, terms, sealed);
      if (!keys.has(self)) throw refused('This member’s own keys are missing.');
      enough(terms, keys.size, 'keys');
      held.keys = keys;
      const [keyShares, seedShares] = await Promise.all(
        [secrets.mask, secrets.seed].map((secret) => split(secret, keys.size, terms.threshold)),
      );
      const sealedShares = new Map<PeerId, Uint8Array>();
      [...keys.values()].forEach((other, index) => {
        const shares = { key: keyShares?.[index] ?? new Uint8Array(), seed: seedShares?.[index] ?? new Uint8Array() };
        if (other.peer === self) ownShares = shares;
        else sealedShares.set(other.peer, sealShares(crypto, way(self, other.peer, other), encodeShares(shares)));
      });
      return sealedShares;
    },
    mask(input, sealed) {
      const { keys } = held;
      if (keys === undefined || ownShares === undefined || held.shares !== undefined)
        throw refused('A member masks once, after it has given out its shares.');
      if (input.length !== terms.size)
        throw new PeerAiError<NnErrorCode>(
          'SHAPE_MISMATCH',
          `The sum has ${terms.size} elements, the input ${input.length}.`,
          {
            expected: terms.size,
            received: input.length,
          },
        );
      const shares = new Map<PeerId, ShareOfSecrets>([[self, ownShares]]);
      for (const [peer, bytes] of sealed) {
        const other = keys.get(peer);
        if (other === undefined || peer === self)
          throw refused('Shares came from somebody who sent no keys.', { peer });
        shares.set(peer, decodeShares(openShares(crypto, way(peer, self, other), bytes)));
      }
      enough(terms, shares.size, 'shares');
      held.shares = inOrder(terms, shares);
      const words = input.slice();
      addStream(crypto, words, secrets.seed, 1);
      for (const peer of held.shares.keys()) {
        const other = keys.get(peer);
        if (other === undefined || peer === self) continue;
        addStream(crypto, words, pairSeed(crypto, terms, secrets.mask, other), pairSign(self, peer));
      }
      for (const secret of Object.values(secrets)) secret.fill(0);
      return words;
    },
    confirm(included) {
      const { shares } = held;
      const list = terms.members.filter((peer) => included.includes(peer));
      if (shares === undefined || list.length !== included.length || !list.includes(self))
        throw refused('The list names somebody who is not in this sum, or leaves this member out.');
      if (list.some((peer) => !shares.has(peer))) throw refused('The list names a member who gave out no shares.');
      // Who signs two lists could be made to give both shares of one member, and with them that member's input.
      if (held.included !== undefined && String(held.included) !== String(list))
        throw refused('Another list was signed already.');
      enough(terms, list.length, 'inputs');
      held.included = list;
      return signIncluded(identity, terms, list);
    },
    unmask(confirmations) {
      const { included, shares } = held;
      if (included === undefined || shares === undefined) throw refused('A member unmasks after it has confirmed.');
      enough(terms, openIncluded(crypto, terms, included, confirmations).size, 'confirmations');
      const seeds = new Map<PeerId, Uint8Array>();
      const keys = new Map<PeerId, Uint8Array>();
      for (const [peer, share] of shares)
        if (included.includes(peer)) seeds.set(peer, share.seed);
        else keys.set(peer, share.key);
      return encodeUnmasking({ seeds, keys });
    },
  };
}

function enough(terms: CheckedTerms, count: number, what: string): void {
  if (count < terms.threshold)
    throw new PeerAiError<NnErrorCode>(
      'TOO_FEW_UPDATES',
      `${terms.threshold} ${what} are needed so that no single input shows; ${count} came.`,
      { needed: terms.threshold, passed: count },
    );
}
