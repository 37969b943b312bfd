import { type Method, wire } from '@peerai/core-protocol';
import { limits } from './limits.ts';

const { bytes, message, oneOf, optional, string } = wire;

/** `message`: a text. `ping`: nothing. `learn`: the text of a task and the hash of its terms. */
const question = message({
  kind: oneOf(1, ['message', 'ping', 'learn']),
  text: optional(string(2)),
  run: optional(bytes(3)),
});
const reply = message({ outcome: oneOf(1, ['taken', 'alive', 'joined']) });
export type DeviceQuestion = ReturnType<typeof question.decode>;
export type DeviceReply = ReturnType<typeof reply.decode>;

/** `/peerai/device/1`: between devices that met by signalling. */
export const deviceMethod: Method<DeviceQuestion, DeviceReply> = {
  protocol: {
    id: '/peerai/device/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.deviceMessageBytesMax,
    channelsPerPeerMax: 4,
  },
  request: question,
  response: reply,
  timeoutMs: limits.questionMs,
};
