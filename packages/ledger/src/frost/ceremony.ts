import {
  concatBytes,
  type CryptoProvider,
  equalBytes,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  type Random,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { ed25519_FROST as frost } from '@noble/curves/ed25519.js';

import { limits } from '../limits.ts';
import { decodeAnnouncement, decodeShare, encodeAnnouncement, encodeShare } from './ceremony-wire.ts';
import { checkMembers, type GroupKey, guarded, identifierOf, liar, wrong } from './group-key.ts';

/** What all members agree on before a key is made. */
export interface GroupTerms {
  readonly members: readonly PeerId[];
  /** So many sign together; with fewer there is no signature. 2 to all of them. */
  readonly threshold: number;
  /** Never used before, 16 bytes or more: so that no message of another ceremony fits. */
  readonly ceremony: Uint8Array;
}

/**
 * How a group makes its key without a dealer: nobody ever has the whole of it. Three steps, each once, everybody takes part; who is missing or wrong
 * is named, and the ceremony begins again without it, under another name.
 */
export interface KeyCeremony {
  /** For all other members. */
  announce(): Uint8Array;
  /**
   * For each other member its own, over a channel that nobody else reads. Takes what each of them announced, over channels that say who it came from.
   * Throws SIGNER_WRONG, its details naming the `peers`.
   */
  share(announcements: ReadonlyMap<PeerId, Uint8Array>): ReadonlyMap<PeerId, Uint8Array>;
  /** Throws SIGNER_WRONG for a wrong share; REFUSED, with the `peers`, when one was told other announcements than this member. */
  finish(shares: ReadonlyMap<PeerId, Uint8Array>): GroupKey;
}

interface Announced {
  readonly identifier: string;
  readonly commitment: Uint8Array[];
  readonly proofOfKnowledge: Uint8Array;
}

const termsForm = wire.message({
  members: wire.repeated(wire.string(1), limits.groupMembersMax),
  threshold: wire.uint32(2),
  ceremony: wire.bytes(3),
});

/** Throws INVALID_FORMAT for terms that cannot be, or that do not name `self`; LIMIT_REACHED. */
export function createKeyCeremony(
  { crypto, random, self }: { readonly crypto: CryptoProvider; readonly random: Random; readonly self: PeerId },
  terms: GroupTerms,
): KeyCeremony {
  const members = checkMembers(terms.members, terms.threshold);
  if (!members.includes(self)) throw wrong('This peer is not of the group.');
  if (terms.ceremony.length < 16 || terms.ceremony.length > 64)
    throw wrong('The name of a ceremony has 16 to 64 bytes.');
  const group = { members };
  const others = members.filter((peer) => peer !== self);
  const hash = crypto.sha256(utf8('peerai/frost/1 terms'), termsForm.encode({ ...terms, members }));
  const signers = { min: terms.threshold, max: members.length };
  const rng = (count = 32): Uint8Array<ArrayBuffer> => new Uint8Array(random.bytes(count));
  const own = frost.DKG.round1(identifierOf(group, self), signers, undefined, rng);
  const announcement = encodeAnnouncement({
    terms: hash,
    commitments: own.public.commitment,
    proof: own.public.proofOfKnowledge,
  });
  let heard: readonly Announced[] = [];
  let transcript: Uint8Array | undefined;

  const read = (peer: PeerId, bytes: Uint8Array | undefined): Announced => {
    const { terms: theirs, commitments, proof } = named(peer, () => decodeAnnouncement(bytes));
    if (!equalBytes(theirs, hash) || commitments.length !== terms.threshold)
      throw liar([peer], 'A member announced itself for other terms.');
    return {
      identifier: identifierOf(group, peer),
      commitment: commitments.map((point) => new Uint8Array(point)),
      proofOfKnowledge: new Uint8Array(proof),
    };
  };

  return {
    announce: () => announcement,
    share(announcements) {
      if (transcript !== undefined) throw refused('Shares were made already.', []);
      const all = others.map((peer) => read(peer, announcements.get(peer)));
      const made = guarded(() => frost.DKG.round2(own.secret, all));
      if (made === undefined)
        throw liar(
          withoutProof(all, signers, rng).map((at) => others[at] ?? self),
          'A member does not know what it announced.',
        );
      heard = all;
      const told = new Map(announcements).set(self, announcement);
      const seen = members.map((peer) => crypto.sha256(told.get(peer) ?? new Uint8Array()));
      const list = crypto.sha256(utf8('peerai/frost/1 transcript'), hash, concatBytes(...seen));
      transcript = list;
      return new Map(
        others.map((peer) => {
          const share = made[identifierOf(group, peer)]?.signingShare ?? new Uint8Array();
          return [peer, encodeShare({ transcript: list, share })];
        }),
      );
    },
    finish(shares) {
      const list = transcript;
      if (list === undefined) throw refused('Announcements come before shares.', []);
      const received = others.map((peer, index) => {
        const { transcript: theirs, share } = named(peer, () => decodeShare(shares.get(peer)));
        if (!equalBytes(theirs, list)) throw refused('A member was told other announcements.', [peer]);
        return { identifier: heard[index]?.identifier ?? '', signingShare: new Uint8Array(share) };
      });
      const key = guarded(() => frost.DKG.round3(own.secret, [...heard], received));
      const publicKey = key?.public.commitments[0];
      if (key === undefined || publicKey === undefined) {
        const identifier = identifierOf(group, self);
        const fits = (index: number): boolean =>
          guarded(() => {
            const commitments = heard[index]?.commitment ?? [];
            const signingShare = received[index]?.signingShare ?? new Uint8Array();
            frost.validateSecret({ identifier, signingShare }, { signers, commitments, verifyingShares: {} });
            return true;
          }) ?? false;
        throw liar(
          others.filter((_, index) => !fits(index)),
          'A share does not fit what its sender announced.',
        );
      }
      return {
        group: peerIdFromPublicKey(publicKey),
        members,
        threshold: terms.threshold,
        self,
        share: key.secret.signingShare,
        commitments: key.public.commitments,
        verifyingShares: members.map(
          (peer) => key.public.verifyingShares[identifierOf(group, peer)] ?? new Uint8Array(),
        ),
      };
    },
  };
}

/** Decodes what a member sent, so that its errors name the member. */
function named<T>(peer: PeerId, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (PeerAiError.is(error)) throw liar([peer], 'A member’s message of the ceremony is missing or none.');
    throw error;
  }
}

/** Which of these prove nothing. The library checks all at once, so each is tried among others that are made here. */
function withoutProof(
  all: readonly Announced[],
  signers: { readonly min: number; readonly max: number },
  rng: (count?: number) => Uint8Array<ArrayBuffer>,
): readonly number[] {
  const made = all.map(({ identifier }) => frost.DKG.round1(identifier, signers, undefined, rng).public);
  const free = frost.Identifier.fromNumber(all.length + 2);
  return all.flatMap((one, at) => {
    const { secret } = frost.DKG.round1(free, signers, undefined, rng);
    const others = made.map((good, place) =>
      place === at
        ? {
            ...one,
            commitment: one.commitment.map((point) => new Uint8Array(point)),
            proofOfKnowledge: new Uint8Array(one.proofOfKnowledge),
          }
        : good,
    );
    return guarded(() => frost.DKG.round2(secret, others)) === undefined ? [at] : [];
  });
}

const refused = (text: string, peers: readonly PeerId[]): PeerAiError => new PeerAiError('REFUSED', text, { peers });
