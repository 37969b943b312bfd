import { type EntryBody, fromHex, PeerAiError, toHex, wire } from '@peerai/core-protocol';

/** Kind of an entry that says: a group decided this block while this peer was a member. */
export const decisionKind = 'decision';

export interface DecisionStatement {
  /** Id of the group, 64 hex digits. */
  readonly group: string;
  /** Place of the block in the group's chain, from 1. */
  readonly height: number;
  /** Hash of the block's header, 64 hex digits. */
  readonly block: string;
}

const body = wire.message({
  version: wire.uint32(1),
  group: wire.bytes(2),
  height: wire.uint53(3),
  block: wire.bytes(4),
});

export const decisionEntry = ({ group, height, block }: DecisionStatement): EntryBody => ({
  kind: decisionKind,
  body: body.encode({ version: 1, group: fromHex(group), height, block: fromHex(block) }),
});

/** Throws INVALID_FORMAT, INVALID_VERSION. */
export function readDecisionEntry(bytes: Uint8Array): DecisionStatement {
  const { version, group, height, block } = body.decode(bytes);
  if (version !== 1)
    throw new PeerAiError('INVALID_VERSION', `decision entry version ${version}; this program reads 1`);
  if (group.length !== 32 || block.length !== 32 || height < 1)
    throw new PeerAiError('INVALID_FORMAT', 'a decision has two hashes of 32 bytes and a height from 1');
  return { group: toHex(group), height, block: toHex(block) };
}
