import {
  type EntryBody,
  fromHex,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  toHex,
  wire,
} from '@peerai/core-protocol';

/** Kind of an entry that says: this capsule is at this peer, for others too. */
export const capsuleKind = 'capsule';
/** No word for personal ones: what nobody else may have is not stated either. */
export const statedLevels = ['behavioral', 'public'] as const;
/** Parents of one capsule, count: as many as it may have relations. */
export const statedParentsMax = 64;

export interface CapsuleStatement {
  /** Id of the capsule: SHA-256 over its author's key and what that one signed, 64 hex digits. */
  readonly capsule: string;
  readonly author: PeerId;
  /** Of its data, unpacked. */
  readonly bytes: number;
  readonly level: (typeof statedLevels)[number];
  /** Ids of the shared capsules it replaces or follows. */
  readonly parents: readonly string[];
}

const body = wire.message({
  version: wire.uint32(1),
  capsule: wire.bytes(2),
  author: wire.bytes(3),
  bytes: wire.uint53(4),
  level: wire.oneOf(5, statedLevels),
  parents: wire.repeated(wire.bytes(6), statedParentsMax),
});

/** Throws LIMIT_EXCEEDED. */
export const capsuleEntry = ({ capsule, author, parents, ...rest }: CapsuleStatement): EntryBody => ({
  kind: capsuleKind,
  body: body.encode({
    version: 1,
    capsule: fromHex(capsule),
    author: publicKeyFromPeerId(author),
    parents: parents.map(fromHex),
    ...rest,
  }),
});

/** Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function readCapsuleEntry(bytes: Uint8Array): CapsuleStatement {
  const { version, capsule, author, parents, ...rest } = body.decode(bytes);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `capsule entry version ${version}; this program reads 1`);
  if ([capsule, ...parents].some((hash) => hash.length !== 32))
    throw new PeerAiError('INVALID_FORMAT', 'the id of a capsule has 32 bytes');
  return { capsule: toHex(capsule), author: peerIdFromPublicKey(author), parents: parents.map(toHex), ...rest };
}
