import { type Method, type Protocol, wire } from '@peerai/core-protocol';
import { pcpLimits } from '@peerai/core-protocol/pcp';
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

/** For each letter of a frame, in order; `later`: it was not taken now, for the reason in `code`. */
const frameAnswerCodec = wire.message({
  outcome: wire.oneOf(1, ['taken', 'refused', 'later']),
  code: wire.optional(wire.string(2)),
});
export type FrameAnswer = ReturnType<typeof frameAnswerCodec.decode>;

/** Several small letters, or one that is compressed, in a frame of the peer protocol; for peers that said in their hello that they take them. */
export const deliverFrameMethod: Method<{ readonly frame: Uint8Array }, { readonly answers: readonly FrameAnswer[] }> =
  {
    protocol: { ...messageProtocol, id: '/peerai/message/2' },
    request: wire.message({ frame: wire.bytes(1) }),
    response: wire.message({ answers: wire.repeated(wire.nested(1, frameAnswerCodec), pcpLimits.batchMessagesMax) }),
    timeoutMs: limits.attemptMsMax,
  };

/** One letter, one answer; an error instead of an answer means: come back later. */
export const deliverMethod: Method<{ readonly letter: Uint8Array }, DeliveryAnswer> = {
  protocol: messageProtocol,
  request: wire.message({ letter: wire.bytes(1) }),
  response: answerCodec,
  timeoutMs: limits.attemptMsMax,
};
