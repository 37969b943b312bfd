import {
  concatBytes,
  type CryptoProvider,
  fromHex,
  type Identity,
  openSigned,
  PeerAiError,
  parsePeerId,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  sealSigned,
  toHex,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { limits } from './limits.ts';

const tag = 'peerai/state/charter/1';
const codec = wire.message({
  name: wire.string(1),
  salt: wire.bytes(2),
  /** Rises with each change of members. */
  version: wire.uint53(3),
  members: wire.repeated(wire.string(4), limits.membersMax),
  group: wire.optional(wire.string(5)),
});

/** What a document is and who shares it, signed by whoever founded it; the highest version counts. */
export interface Charter {
  /** 32 hex digits: of the founder's key and the salt, so that nobody can found it again. */
  readonly id: string;
  readonly name: string;
  readonly salt: Uint8Array;
  readonly founder: PeerId;
  readonly version: number;
  /** Those it is shared with besides its founder; none where it is a group's. */
  readonly members: readonly PeerId[];
  /** The group whose members share it, 32 hex digits. */
  readonly group: string | undefined;
  readonly bytes: Uint8Array;
}
export type CharterDraft = Pick<Charter, 'name' | 'salt' | 'version' | 'members' | 'group'>;

/** Throws LIMIT_EXCEEDED (name, members). */
export function signCharter(crypto: CryptoProvider, identity: Identity, draft: CharterDraft): Charter {
  const nameBytes = utf8(draft.name).length;
  if (nameBytes < 1 || nameBytes > limits.nameBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a document's name has 1 to ${limits.nameBytesMax} bytes`);
  }
  if (draft.members.length > limits.membersMax) {
    throw new PeerAiError('LIMIT_REACHED', `a document is shared with at most ${limits.membersMax} peers`);
  }
  const bytes = sealSigned(identity, tag, codec.encode(draft));
  return { ...draft, founder: identity.peer, id: idOf(crypto, identity.peer, draft.salt), bytes };
}

/** Throws INVALID_FORMAT, INVALID_SIGNATURE. */
export function openCharter(crypto: CryptoProvider, bytes: Uint8Array): Charter {
  if (bytes.length > limits.charterBytesMax) throw invalid();
  const { body, signer } = openSigned(crypto, tag, bytes);
  const { name, salt, version, members, group } = codec.decode(body);
  const founder = peerIdFromPublicKey(signer);
  const nameBytes = utf8(name).length;
  const isWhole = nameBytes >= 1 && nameBytes <= limits.nameBytesMax && salt.length === 16;
  if (!isWhole || (group !== undefined && !/^[0-9a-f]{32}$/u.test(group))) throw invalid();
  return {
    id: idOf(crypto, founder, salt),
    name,
    salt,
    founder,
    version,
    members: members.map((member) => parsePeerId(member)),
    group,
    bytes,
  };
}

const invalid = (): PeerAiError => new PeerAiError('INVALID_FORMAT', 'this is not the charter of a document');

function idOf(crypto: CryptoProvider, founder: PeerId, salt: Uint8Array): string {
  return toHex(crypto.sha256(utf8('peerai/state/id/1'), publicKeyFromPeerId(founder), salt).subarray(0, 16));
}

/**
 * The number under which an author's changes stand in the document: 52 bits of a hash, so that an entry can be checked to speak for its author alone.
 * A life of its own for each start of an agent: one that comes back with an older disk does not use the same places twice.
 */
export function clientOf(crypto: CryptoProvider, id: string, author: PeerId, life: number): number {
  const hash = crypto.sha256(
    concatBytes(utf8('peerai/state/client/1'), fromHex(id), publicKeyFromPeerId(author), utf8(`${life}`)),
  );
  const view = new DataView(hash.buffer, hash.byteOffset);
  return (view.getUint32(0) & 0xf_ffff) * 2 ** 32 + view.getUint32(4);
}
