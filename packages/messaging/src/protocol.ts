import { type Method, type Protocol, wire } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** Only peers the owner allowed may leave messages here. */
export const messageProtocol: Protocol = {
  id: '/peerai/message/1',
  access: 'granted',
  framing: 'messages',
  messageBytesMax: limits.frameBytesMax,
  channelsPerPeerMax: limits.channelsPerPeerMax,
};

/** `taken`: handled, durably, now or before. `refused`: it never will be, for the reason in `code`. */
const answerCodec = wire.message({
  outcome: wire.oneOf(1, ['taken', 'refused']),
  code: wire.optional(wire.string(2)),
});
export type DeliveryAnswer = ReturnType<typeof answerCodec.decode>;

/** One letter, one answer; an error instead of an answer means: come back later. */
export const deliverMethod: Method<{ readonly letter: Uint8Array }, DeliveryAnswer> = {
  protocol: messageProtocol,
  request: wire.message({ letter: wire.bytes(1) }),
  response: answerCodec,
  timeoutMs: limits.attemptMsMax,
};
