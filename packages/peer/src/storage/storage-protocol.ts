import { type Method, wire } from '@peerai/core-protocol';
import { storageLimits as limits } from './limits.ts';

const { bytes, message, nested, oneOf, optional, repeated, uint32, uint53, uint64 } = wire;

const question = message({
  /** `offer`: what is to be had. `lease`: terms with one signature. `put`, `get`, `remove`: one chunk. `challenge`: show leaves. `signed`: a receipt with both. */
  kind: oneOf(1, ['offer', 'lease', 'put', 'get', 'remove', 'challenge', 'signed']),
  document: optional(bytes(2)),
  /** Id of the lease, 32 bytes; of the chunk, 32 bytes; its bytes. */
  lease: optional(bytes(3)),
  chunk: optional(bytes(4)),
  data: optional(bytes(5)),
  /** Of a challenge, 32 random bytes. */
  nonce: optional(bytes(6)),
});
const leaf = message({ chunk: bytes(1), index: uint32(2), leaf: bytes(3), path: repeated(bytes(4), 32) });
const answer = message({
  /** Micro-credits for a MiB and an hour; bytes that are free for leases; minutes of one lease at the most. */
  unitPrice: optional(uint64(1)),
  freeBytes: optional(uint53(2)),
  minutesMax: optional(uint32(3)),
  /** Terms with both signatures, or a receipt with the lender's. */
  document: optional(bytes(4)),
  data: optional(bytes(5)),
  leaves: repeated(nested(6, leaf), limits.leavesMax),
  /** The lender's signature under what it shows. */
  answered: optional(bytes(7)),
});
export type StorageQuestion = ReturnType<typeof question.decode>;
export type StorageAnswer = ReturnType<typeof answer.decode>;

export const plainStorageQuestion = {
  document: undefined,
  lease: undefined,
  chunk: undefined,
  data: undefined,
  nonce: undefined,
} as const;
export const plainStorageAnswer: StorageAnswer = {
  unitPrice: undefined,
  freeBytes: undefined,
  minutesMax: undefined,
  document: undefined,
  data: undefined,
  leaves: [],
  answered: undefined,
};

/** `/peerai/storage/1`: room for sealed bytes, and proofs that they are still there. */
export const storageMethod: Method<StorageQuestion, StorageAnswer> = {
  protocol: {
    id: '/peerai/storage/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.messageBytesMax,
    channelsPerPeerMax: 4,
    priority: 'low',
  },
  request: question,
  response: answer,
  timeoutMs: limits.callMs,
};
