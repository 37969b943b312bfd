import { PeerAiError, type PeerId, peerIdFromPublicKey, publicKeyFromPeerId, wire } from '@peerai/core-protocol';
import { agreementLimits, quorumOf } from '../agreement/index.ts';
import { governanceLimits as limits } from './limits.ts';
import { refuseIf } from './refused.ts';
import type { GovernanceState } from './state.ts';

/** What a member says of the key that its epoch makes to sign heads with: which one it has a share of, or, without a key, that this attempt came to nothing. */
export interface HeadKeyWord {
  readonly epoch: number;
  /** Which try of the epoch, from 0. */
  readonly attempt: number;
  /** Ed25519, 32 bytes. */
  readonly key: Uint8Array | undefined;
  /** Without a key: whose messages were wrong or missing, by this member's account. */
  readonly blamed: readonly PeerId[];
}
/** A key that a quorum of an epoch has shares of. */
export interface HeadKey {
  readonly epoch: number;
  readonly attempt: number;
  /** The group as an origin of signed notes. */
  readonly key: PeerId;
  /** So many of so many sign together. */
  readonly threshold: number;
  readonly members: number;
  /** Of the block with the word that made it hold. */
  readonly height: number;
}
/** How the key of this epoch comes about. */
export interface HeadKeys {
  readonly attempt: number;
  /** Which key each member has a share of, in this attempt. */
  readonly said: ReadonlyMap<PeerId, PeerId>;
  /** Once as many members as decide a block have said the same. */
  readonly key: HeadKey | undefined;
  /** Of epochs before, newest last; they sign no more. */
  readonly former: readonly HeadKey[];
  /** Attempts of this epoch that came to nothing, with who said so and whom they name. */
  readonly failed: readonly { readonly attempt: number; readonly by: PeerId; readonly blamed: readonly PeerId[] }[];
}

export const noHeadKeys: HeadKeys = { attempt: 0, said: new Map(), key: undefined, former: [], failed: [] };

const codec = wire.message({
  epoch: wire.uint53(1),
  attempt: wire.uint32(2),
  key: wire.optional(wire.bytes(3)),
  blamed: wire.repeated(wire.bytes(4), agreementLimits.membersMax),
});
export const headKeyCodec = {
  encode: (word: HeadKeyWord): Uint8Array => codec.encode({ ...word, blamed: word.blamed.map(publicKeyFromPeerId) }),
  /** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
  decode(bytes: Uint8Array): HeadKeyWord {
    const read = codec.decode(bytes);
    if (read.key !== undefined && (read.key.length !== 32 || read.blamed.length > 0))
      throw new PeerAiError('INVALID_FORMAT', 'a key has 32 bytes, and who has one blames nobody');
    return { ...read, blamed: read.blamed.map(peerIdFromPublicKey) };
  },
};

/** Of a new epoch: other members have no share of the key of those before. */
export const withoutHeadKey = ({ key, former }: HeadKeys): HeadKeys => ({
  ...noHeadKeys,
  former: key === undefined ? former : [...former, key].slice(-limits.headKeysKept),
});

/** The state with one more word. A key holds from a quorum's word on, and for its epoch: nobody who says that its attempt failed takes it back. */
export function takeHeadKey(
  state: Pick<GovernanceState, 'epoch' | 'members' | 'height' | 'headKeys'>,
  author: PeerId,
  { epoch, attempt, key: bytes, blamed }: HeadKeyWord,
): HeadKeys {
  const { headKeys, members, height } = state;
  refuseIf(epoch !== state.epoch || attempt !== headKeys.attempt, 'TOO_LATE');
  if (bytes === undefined) {
    refuseIf(headKeys.key !== undefined, 'NO_EFFECT');
    refuseIf(attempt + 1 >= limits.headKeyAttemptsMax, 'LIMIT_REACHED');
    const failed = [...headKeys.failed, { attempt, by: author, blamed }];
    return { ...headKeys, attempt: attempt + 1, said: new Map(), failed };
  }
  refuseIf(headKeys.said.has(author), 'VOTED');
  const key = peerIdFromPublicKey(bytes);
  const said = new Map(headKeys.said).set(author, key);
  const threshold = quorumOf(members.length);
  const isHeld = [...said.values()].filter((one) => one === key).length >= threshold;
  const made = { epoch, attempt, key, threshold, members: members.length, height };
  return { ...headKeys, said, key: headKeys.key ?? (isHeld ? made : undefined) };
}
