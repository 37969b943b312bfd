import {
  compareUtf8,
  type CryptoProvider,
  type EntryBody,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { agreementLimits as limits } from './limits.ts';
import type { Epoch, Genesis } from './types.ts';

/** f: how many of n members may be silent or lie. */
export const faultsOf = (count: number): number => Math.floor((count - 1) / 3);
/** n − f: two such sets share at least one honest member, and the honest alone are one. */
export const quorumOf = (count: number): number => count - faultsOf(count);

/** Whose turn it is: each height begins with another member, each view of it goes one further. */
export function leaderOf({ members }: Epoch, height: number, view: number): PeerId {
  return members[(height + view) % members.length] as PeerId;
}

const genesisForm = wire.message({
  version: wire.uint32(1),
  name: wire.string(2),
  members: wire.repeated(wire.bytes(3), limits.membersMax),
  nonce: wire.bytes(4),
});
const membersForm = wire.message({ members: wire.repeated(wire.bytes(1), limits.membersMax) });
const wrong = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', text);

/** The same for every order of the members. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function encodeGenesis({ version, name, members, nonce }: Genesis): Uint8Array {
  if (nonce.length !== limits.nonceBytes) throw wrong(`the nonce of a group has ${limits.nonceBytes} bytes`);
  const nameBytes = utf8(name).length;
  if (nameBytes === 0) throw wrong('a group needs a name');
  if (nameBytes > limits.groupNameBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `the name of a group has at most ${limits.groupNameBytesMax} bytes`);
  return genesisForm.encode({ version, name, members: keysOf(sorted(members)), nonce });
}

/** Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function decodeGenesis(bytes: Uint8Array): Genesis {
  const { version, name, members, nonce } = genesisForm.decode(bytes);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `group version ${version}; this program reads 1`);
  const genesis: Genesis = { version, name, members: members.map(peerIdFromPublicKey), nonce };
  encodeGenesis(genesis);
  return genesis;
}

/** The group's id: SHA-256 of a tag and the genesis, 32 bytes. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function groupIdOf(crypto: Pick<CryptoProvider, 'sha256'>, genesis: Genesis): Uint8Array {
  return crypto.sha256(utf8('peerai/agreement/1 group\0'), encodeGenesis(genesis));
}

export const firstEpoch = ({ members }: Genesis): Epoch => ({ number: 0, members: sorted(members), fromHeight: 1 });

/** The kind of an entry that names the members from the next height on; its body comes from `membersPayload`. */
export const epochKind = 'agreement/members';

/** What to propose, to have these members and no others from the next block on. Throws INVALID_FORMAT. */
export function membersPayload(members: readonly PeerId[]): EntryBody {
  return { kind: epochKind, body: membersForm.encode({ members: keysOf(sorted(members)) }) };
}

/** Throws INVALID_FORMAT, also for members that are not sorted: one membership has one form. */
export function readMembersPayload(body: Uint8Array): readonly PeerId[] {
  const members = membersForm.decode(body).members.map(peerIdFromPublicKey);
  if (sorted(members).some((peer, place) => peer !== members[place])) throw wrong('members come in their order');
  return members;
}

function sorted(members: readonly PeerId[]): readonly PeerId[] {
  const all = members.toSorted(compareUtf8);
  if (all.length === 0 || all.length > limits.membersMax) throw wrong(`a group has 1 to ${limits.membersMax} members`);
  if (all.some((peer, place) => peer === all[place + 1])) throw wrong('a member is named twice');
  return all;
}

const keysOf = (members: readonly PeerId[]): Uint8Array[] => members.map(publicKeyFromPeerId);
