import { type Method, wire } from '@peerai/core-protocol';
import { peerMarketLimits as limits } from './limits.ts';

const { bytes, message, nested, oneOf, optional, repeated, string, uint32, uint53, uint64 } = wire;

/** `offers`: what is to be had. `lease`: terms with one signature. `end`: how it ended, with one signature or both. `dispute`: an end that needs no yes. */
const question = message({
  kind: oneOf(1, ['offers', 'lease', 'end', 'dispute']),
  document: optional(bytes(2)),
});
const offer = message({
  /** A model's name. */
  model: string(1),
  /** Micro-credits for 1,000 tokens. */
  unitPrice: uint64(2),
  /** Of one lease, tokens and minutes. */
  tokensMax: uint53(3),
  minutesMax: uint32(4),
});
const answer = message({
  offers: repeated(nested(1, offer), limits.offersMax),
  /** With both signatures. */
  document: optional(bytes(2)),
});
export type MarketQuestion = ReturnType<typeof question.decode>;
export type MarketAnswer = ReturnType<typeof answer.decode>;
export type OfferFacts = ReturnType<typeof offer.decode>;

/** `/peerai/market/1`: what a peer offers, leases of it, and their ends. */
export const marketMethod: Method<MarketQuestion, MarketAnswer> = {
  protocol: {
    id: '/peerai/market/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.messageBytesMax,
    channelsPerPeerMax: 2,
  },
  request: question,
  response: answer,
  timeoutMs: limits.callMs,
};
