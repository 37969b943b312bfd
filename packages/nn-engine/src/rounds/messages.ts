import {
  type CryptoProvider,
  type Identity,
  type Method,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  sealSigned,
  wire,
} from '@peerai/core-protocol';

import { limits } from '../limits.ts';

/** What one member says of its update, signed: nobody else can have sent it, and it counts in one round only. */
export interface UpdateReceipt {
  readonly run: Uint8Array;
  readonly term: number;
  readonly round: number;
  /** Hash of the state the steps began at. */
  readonly base: Uint8Array;
  /** SHA-256 and length of the packed delta; in a private run of the masked one. */
  readonly update: Uint8Array;
  readonly updateBytes: number;
  /** Mean loss of the local steps, nats; NaN where the member does not tell it. */
  readonly loss: number;
}

const receiptTag = 'peerai/train/1 update';
const receiptForm = wire.message({
  run: wire.bytes(1),
  term: wire.uint32(2),
  round: wire.uint32(3),
  base: wire.bytes(4),
  update: wire.bytes(5),
  updateBytes: wire.uint32(6),
  loss: wire.double(7),
});

export function signReceipt(identity: Identity, receipt: UpdateReceipt): Uint8Array {
  return sealSigned(identity, receiptTag, receiptForm.encode(receipt));
}

/** Throws INVALID_FORMAT, INVALID_SIGNATURE. */
export function openReceipt(crypto: CryptoProvider, sealed: Uint8Array): UpdateReceipt & { readonly peer: PeerId } {
  const { body, signer } = openSigned(crypto, receiptTag, sealed);
  const receipt = receiptForm.decode(body);
  if (receipt.run.length !== 32 || receipt.base.length !== 32 || receipt.update.length !== 32)
    throw new PeerAiError('INVALID_FORMAT', 'A hash has 32 bytes.');
  return { ...receipt, peer: peerIdFromPublicKey(signer) };
}

const openForm = wire.message({
  round: wire.uint32(1),
  base: wire.bytes(2),
  members: wire.repeated(wire.string(3), limits.roundUpdatesMax),
  present: wire.uint32(4),
  received: wire.uint32(5),
  needed: wire.uint32(6),
  /** Of a private or a sealed run: which try of the round this is, counted from 1. */
  attempt: wire.optional(wire.uint32(7)),
  /** Of a sealed run, once all have committed: SHA-256 over the commitments, sorted. From then on updates are taken. */
  opened: wire.optional(wire.bytes(8)),
});
const refusalForm = wire.message({ peer: wire.string(1), reason: wire.string(2) });
const closedForm = wire.message({
  round: wire.uint32(1),
  base: wire.bytes(2),
  delta: wire.bytes(3),
  deltaBytes: wire.uint32(4),
  next: wire.bytes(5),
  receipts: wire.repeated(wire.bytes(6), limits.roundUpdatesMax),
  refused: wire.repeated(wire.nested(7, refusalForm), limits.roundUpdatesMax),
  /** Of a private run: the mean loss, nats; receipts tell none there. */
  loss: wire.optional(wire.double(8)),
  /** Of a sealed run: the commitments with which the round was opened, the salts of `receipts` in their order, and which try it was. */
  commitments: wire.repeated(wire.bytes(9), limits.roundUpdatesMax),
  salts: wire.repeated(wire.bytes(10), limits.roundUpdatesMax),
  attempt: wire.optional(wire.uint32(11)),
});
const newsForm = wire.message({
  term: wire.uint32(1),
  open: wire.optional(wire.nested(2, openForm)),
  closed: wire.optional(wire.nested(3, closedForm)),
});
const watchForm = wire.message({ run: wire.bytes(1), term: wire.uint32(2) });
/** Of a sealed run the salt opens the commitment. */
const submitForm = wire.message({ run: wire.bytes(1), receipt: wire.bytes(2), salt: wire.optional(wire.bytes(3)) });
const commitForm = wire.message({
  run: wire.bytes(1),
  term: wire.uint32(2),
  base: wire.bytes(3),
  attempt: wire.uint32(4),
  commitment: wire.bytes(5),
});
const takenForm = wire.message({ late: wire.bool(1) });

/** Where a run stands, as its coordinator says: the round that is open (none: the run is over) and the one that closed last. */
export type News = ReturnType<typeof newsForm.decode>;
export type ClosedRound = ReturnType<typeof closedForm.decode>;
export type OpenRound = ReturnType<typeof openForm.decode>;

/** `/peerai/train/watch/1`: a member asks once and is told where the run stands, at each change and as a sign of life. */
export const watchMethod: Method<ReturnType<typeof watchForm.decode>, News> = {
  protocol: {
    id: '/peerai/train/watch/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.newsBytesMax,
    channelsPerPeerMax: 8,
  },
  request: watchForm,
  response: newsForm,
  timeoutMs: limits.coordinatorSilentMs,
};

/** `/peerai/train/submit/1`: a member's signed receipt; the coordinator fetches the update by its hash before it answers. */
export const submitMethod: Method<ReturnType<typeof submitForm.decode>, ReturnType<typeof takenForm.decode>> = {
  protocol: {
    id: '/peerai/train/submit/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: 4_096,
    channelsPerPeerMax: 8,
  },
  request: submitForm,
  response: takenForm,
  timeoutMs: limits.submitMsMax,
};

export type CommitAsk = ReturnType<typeof commitForm.decode>;
/** `/peerai/train/commit/1`: what a member of a sealed run says of its update before anybody's is opened. */
export const commitMethod: Method<CommitAsk, ReturnType<typeof takenForm.decode>> = {
  protocol: {
    id: '/peerai/train/commit/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: 1_024,
    channelsPerPeerMax: 8,
  },
  request: commitForm,
  response: takenForm,
  timeoutMs: limits.coordinatorSilentMs,
};
