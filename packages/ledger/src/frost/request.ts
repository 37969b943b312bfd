import { type PeerId, utf8, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { checkpointText, type TreeHead } from '../log/note.ts';
import { bounded, type GroupKey, identifierOf, wrong } from './group-key.ts';

/** A signer's two public numbers for one session. */
export interface Commitment {
  readonly hiding: Uint8Array;
  readonly binding: Uint8Array;
}

/** What the signers of one session are asked to sign, and who they are. */
export interface Request {
  readonly size: bigint;
  readonly root: Uint8Array;
  /** From the head that the group signed before; its size is each signer's own knowledge. */
  readonly proof: readonly Uint8Array[];
  readonly commitments: ReadonlyMap<PeerId, Commitment>;
}

const commitmentForm = wire.message({ hiding: wire.bytes(1), binding: wire.bytes(2) });
const requestForm = wire.message({
  size: wire.uint64(1),
  root: wire.bytes(2),
  proof: wire.repeated(wire.bytes(3), limits.consistencyHashesMax),
  signers: wire.repeated(
    wire.nested(4, wire.message({ member: wire.uint32(1), hiding: wire.bytes(2), binding: wire.bytes(3) })),
    limits.groupMembersMax,
  ),
});

export const encodeCommitment = (commitment: Commitment): Uint8Array => commitmentForm.encode(commitment);

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function decodeCommitment(bytes: Uint8Array): Commitment {
  return shaped(commitmentForm.decode(bounded(bytes)));
}

export function encodeRequest({ members }: GroupKey, request: Request): Uint8Array {
  const signers = [...request.commitments].map(([peer, one]) => ({ member: members.indexOf(peer), ...one }));
  return requestForm.encode({ ...request, signers });
}

/** Throws INVALID_FORMAT, also for too few signers, a stranger, or one twice; LIMIT_EXCEEDED. */
export function decodeRequest({ members, threshold }: GroupKey, bytes: Uint8Array): Request {
  const { signers, ...rest } = requestForm.decode(bounded(bytes));
  const commitments = new Map<PeerId, Commitment>();
  for (const { member, hiding, binding } of signers) {
    const peer = members[member];
    if (peer === undefined || commitments.has(peer)) throw wrong('A signer is a stranger, or named twice.');
    commitments.set(peer, shaped({ hiding, binding }));
  }
  if (commitments.size < threshold) throw wrong(`A group of this kind signs with ${threshold} members.`);
  if (rest.root.length !== 32 || rest.proof.some(({ length }) => length !== 32)) throw wrong('A hash has 32 bytes.');
  return { ...rest, commitments };
}

/** Whether they are points is for the library to say, which looks again whenever it uses one. */
function shaped(commitment: Commitment): Commitment {
  if (commitment.hiding.length === 32 && commitment.binding.length === 32) return commitment;
  throw wrong('A commitment is two points of 32 bytes.');
}

/** The commitments as the library takes them. */
export function listOf(key: GroupKey, { commitments }: Pick<Request, 'commitments'>) {
  return [...commitments].map(([peer, { hiding, binding }]) => ({
    identifier: identifierOf(key, peer),
    hiding: new Uint8Array(hiding),
    binding: new Uint8Array(binding),
  }));
}

/** The bytes that the group signs. */
export function messageOf({ group }: GroupKey, { size, root }: Pick<TreeHead, 'size' | 'root'>): Uint8Array {
  return utf8(checkpointText({ origin: group, size, root }));
}
