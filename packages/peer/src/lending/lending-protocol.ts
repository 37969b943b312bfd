import { type Method, wire } from '@peerai/core-protocol';
import { leaseLimits } from '@peerai/ledger/lease';
import { lendingLimits as limits } from './limits.ts';

const { bool, bytes, double, message, oneOf, optional, uint32, uint53, uint64 } = wire;

const question = message({ version: uint32(1) });
const answer = message({
  /** Gating nodes it lends, and those that nobody has now and the asker may have. */
  nodes: uint32(1),
  free: uint32(2),
  /** Micro-credits for a node and an hour. */
  nodeHour: uint64(3),
  minutesMax: uint32(4),
  /** Means over `windowMs`, the last of them so long ago; absent where nothing was measured. */
  load: optional(double(5)),
  processor: optional(double(6)),
  memory: optional(double(7)),
  agoMs: uint53(8),
  windowMs: uint53(9),
});
export type NodesAnswer = ReturnType<typeof answer.decode>;

/** `/peerai/nodes/1`: what a peer lends to this one, and how busy its machine is. */
export const nodesMethod: Method<ReturnType<typeof question.decode>, NodesAnswer> = {
  protocol: {
    id: '/peerai/nodes/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.nodesMessageBytesMax,
    channelsPerPeerMax: 2,
  },
  request: question,
  response: answer,
  timeoutMs: limits.nodesCallMs,
};

/** `offer`: a lease with one signature. `run`: vectors, before the first the cluster. `state`: the cluster as it is. `settle`: the last word. `dispute`: an end that says so, from either side. */
const leaseQuestion = message({
  kind: oneOf(1, ['offer', 'run', 'state', 'settle', 'dispute']),
  lease: optional(bytes(2)),
  id: optional(bytes(3)),
  n: optional(uint32(4)),
  state: optional(bytes(5)),
  inputs: optional(bytes(6)),
  /** The newest with both signatures. */
  receipt: optional(bytes(7)),
  disputed: optional(bool(8)),
  /** Of a dispute, with the signature of who asks. */
  end: optional(bytes(9)),
});
const leaseAnswer = message({
  lease: optional(bytes(1)),
  outputs: optional(bytes(2)),
  receipt: optional(bytes(3)),
  state: optional(bytes(4)),
  /** Runs whose receipts the lender has with both signatures. */
  booked: uint32(5),
});
export type LeaseQuestion = ReturnType<typeof leaseQuestion.decode>;
export type LeaseAnswer = ReturnType<typeof leaseAnswer.decode>;

/** With nothing said yet. */
export const plainQuestion = {
  lease: undefined,
  id: undefined,
  n: undefined,
  state: undefined,
  inputs: undefined,
  receipt: undefined,
  disputed: undefined,
  end: undefined,
} as const;
export const plainAnswer = { lease: undefined, outputs: undefined, receipt: undefined, state: undefined } as const;

/** `/peerai/lease/1`: work on borrowed nodes. */
export const leaseMethod: Method<LeaseQuestion, LeaseAnswer> = {
  protocol: {
    id: '/peerai/lease/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.leaseMessageBytesMax,
    channelsPerPeerMax: 2,
  },
  request: leaseQuestion,
  response: leaseAnswer,
  timeoutMs: limits.leaseCallMs,
};

/** The last answer of a lease, to be given again. */
export const keptAnswer = message({ n: uint32(1), inputsHash: bytes(2), outputs: bytes(3) });

/** What a lease's nodes and minutes may be, for schemas. */
export const { nodesMax: leaseNodesMax, minutesMax: leaseMinutesMax } = leaseLimits;
