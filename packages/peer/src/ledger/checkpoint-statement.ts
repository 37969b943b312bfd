import {
  type EntryBody,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  toHex,
  wire,
} from '@peerai/core-protocol';
import type { TreeHead } from '@peerai/ledger';

/** Kind of an entry that says: this peer stands for that head of another's log. */
export const checkpointKind = 'checkpoint';

export interface CheckpointStatement {
  readonly origin: PeerId;
  readonly size: number;
  /** Root of its tree, 64 hex digits. */
  readonly root: string;
}

const body = wire.message({
  version: wire.uint32(1),
  origin: wire.bytes(2),
  size: wire.uint53(3),
  root: wire.bytes(4),
});

export const checkpointEntry = ({ origin, size, root }: TreeHead): EntryBody => ({
  kind: checkpointKind,
  body: body.encode({ version: 1, origin: publicKeyFromPeerId(origin), size: Number(size), root }),
});

/** Throws INVALID_FORMAT, INVALID_VERSION. */
export function readCheckpointEntry(bytes: Uint8Array): CheckpointStatement {
  const { version, origin, size, root } = body.decode(bytes);
  if (version !== 1)
    throw new PeerAiError('INVALID_VERSION', `checkpoint entry version ${version}; this program reads 1`);
  if (root.length !== 32 || size < 1)
    throw new PeerAiError('INVALID_FORMAT', 'a checkpoint has a root of 32 bytes and a size from 1');
  return { origin: peerIdFromPublicKey(origin), size, root: toHex(root) };
}
