import { limits as coreLimits, type Method, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

const { bytes, message, oneOf, repeated, string } = wire;

/** `/peerai/pair/1`: the joiner proves the invite's secret inside Noise, then both wait for a person to compare four emoji. */
export const pairRequest = message({
  /** Ticket proof of the invite, bound to both keys. */
  grant: bytes(1),
  name: string(2),
  addresses: repeated(string(3), coreLimits.recordAddressesMax),
});
/** First `waiting`, later one of the others; `accepted` carries what the inviter grants and asks for. */
export const pairAnswer = message({
  state: oneOf(1, ['waiting', 'accepted', 'rejected', 'expired']),
  name: string(2),
  addresses: repeated(string(3), coreLimits.recordAddressesMax),
  allow: repeated(string(4), 8),
});
export type PairRequest = ReturnType<typeof pairRequest.decode>;
export type PairAnswer = ReturnType<typeof pairAnswer.decode>;

export const pairMethod: Method<PairRequest, PairAnswer> = {
  protocol: {
    id: '/peerai/pair/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 16_384,
    channelsPerPeerMax: 2,
  },
  request: pairRequest,
  response: pairAnswer,
  timeoutMs: limits.pairingWaitMs,
};
