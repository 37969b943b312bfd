import { type Method, wire } from '@peerai/core-protocol';
import { ledgerLimits } from '@peerai/ledger';
import { copyLimits } from '@peerai/ledger/sync';
import { booksLimits as limits } from './limits.ts';

const { bytes, message, oneOf, optional, repeated, string, uint64 } = wire;

/**
 * `heads`: what logs do you know, and how far? `range`: entries of a log, with what leads to its checkpoint. `prefix`: what did the log you know have at this size?
 * `witness`: sign that this follows what you signed (C2SP add-checkpoint). `evidence`: somebody forked.
 */
export const logQuestion = message({
  kind: oneOf(1, ['heads', 'range', 'prefix', 'witness', 'evidence']),
  origin: optional(string(2)),
  /** Of `range`: the first entry. */
  from: optional(uint64(3)),
  /** Of `range`: entries of the checkpoint it must lead to. Of `prefix`: the smaller size. */
  size: optional(uint64(4)),
  /** Of `witness` the request, of `evidence` the proof. */
  body: optional(bytes(5)),
});
export const logAnswer = message({
  /** Of `heads` the answerer's own newest checkpoint, of `prefix` the larger one. */
  note: optional(string(1)),
  /** Entries of the asker's log that the answerer stands for as a witness. */
  known: optional(uint64(2)),
  /** Checkpoints of logs the answerer keeps copies of. */
  notes: repeated(string(3), limits.headsMax),
  evidence: repeated(bytes(4), limits.evidenceMax),
  entries: repeated(bytes(5), copyLimits.rangeEntriesMax),
  path: repeated(bytes(6), ledgerLimits.pathHashesMax),
  root: optional(bytes(7)),
  /** The witness's line. */
  line: optional(string(8)),
});
export type LogQuestion = ReturnType<typeof logQuestion.decode>;
export type LogAnswer = ReturnType<typeof logAnswer.decode>;

/** With nothing said yet. */
export const plainLogQuestion = { origin: undefined, from: undefined, size: undefined, body: undefined } as const;
export const plainLogAnswer = {
  note: undefined,
  known: undefined,
  notes: [],
  evidence: [],
  entries: [],
  path: [],
  root: undefined,
  line: undefined,
} as const;

/** `/peerai/ledger/1`: between paired peers. */
export const logMethod: Method<LogQuestion, LogAnswer> = {
  protocol: {
    id: '/peerai/ledger/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.messageBytesMax,
    channelsPerPeerMax: 2,
    priority: 'low',
  },
  request: logQuestion,
  response: logAnswer,
  timeoutMs: limits.callMs,
};
/** Who proves that somebody forked tells everybody who listens. */
export const forksTopic = 'ledger/forks';
