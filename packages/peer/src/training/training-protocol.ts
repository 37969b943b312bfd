import { type Method, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

const { bytes, message, repeated, uint32 } = wire;

const question = message({ version: uint32(1) });
const offer = message({
  terms: bytes(1),
  plan: bytes(2),
  round: uint32(3),
  members: uint32(4),
});
const answer = message({ offers: repeated(wire.nested(1, offer), limits.trainingOffersMax) });
export type Offer = ReturnType<typeof offer.decode>;

/** `/peerai/train/offers/1`: the runs a peer lets this one join, with their terms and what is trained. */
export const offersMethod: Method<ReturnType<typeof question.decode>, ReturnType<typeof answer.decode>> = {
  protocol: {
    id: '/peerai/train/offers/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.trainingOffersBytesMax,
    channelsPerPeerMax: 2,
  },
  request: question,
  response: answer,
  timeoutMs: limits.trainingQuestionMs,
};

/** Protocols that a visitor with a link may open: those of an open run, and the bytes that it names. */
export const isForVisitors = (id: string): boolean =>
  ['/peerai/train/watch/1', '/peerai/train/commit/1', '/peerai/train/submit/1', '/peerai/blob/1'].includes(id);

/**
 * Errors and states of gating clusters: who may train here may teach what learns here, and see how it is. Stages of models: they are computed here with weights
 * that come from there, as a run's steps are.
 */
const computingProtocols: readonly string[] = ['/peerai/cluster/1', '/peerai/metrics/1', '/peerai/stage/1'];

/** Protocols that only a device with the right to train may open; the question for offers is answered with why it may not. */
export const needsTrainingRight = (id: string): boolean =>
  (id.startsWith('/peerai/train/') && id !== offersMethod.protocol.id) || computingProtocols.includes(id);
