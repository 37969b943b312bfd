import { type Method, wire } from '@peerai/core-protocol';
import { standingLimits as limits } from './limits.ts';

const question = wire.message({ version: wire.uint32(1), subjects: wire.repeated(wire.bytes(2), limits.subjectsMax) });
const answer = wire.message({ opinions: wire.repeated(wire.bytes(1), limits.subjectsMax) });

/** `/peerai/reputation/1`: what a paired peer thinks of these, signed, from its own dealings. */
export const reputationMethod: Method<ReturnType<typeof question.decode>, ReturnType<typeof answer.decode>> = {
  protocol: {
    id: '/peerai/reputation/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.messageBytesMax,
    channelsPerPeerMax: 1,
    priority: 'low',
  },
  request: question,
  response: answer,
  timeoutMs: limits.askMs,
};
