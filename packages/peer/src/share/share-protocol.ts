import { type Method, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

const { bytes, message, repeated, string, uint53 } = wire;

export const shareQuestion = message({ grant: bytes(1) });
/** What a guest may know of its share: the same counters that the owner sees. */
export const shareAnswer = message({
  name: string(1),
  models: repeated(string(2), 8),
  tokensBudget: uint53(3),
  tokensUsed: uint53(4),
  expiresMs: uint53(5),
});
export type ShareQuestion = ReturnType<typeof shareQuestion.decode>;
export type ShareAnswer = ReturnType<typeof shareAnswer.decode>;

/** `/peerai/share/1`: a guest proves its ticket and learns what is left of it. */
export const shareMethod: Method<ShareQuestion, ShareAnswer> = {
  protocol: {
    id: '/peerai/share/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 4_096,
    channelsPerPeerMax: 4,
  },
  request: shareQuestion,
  response: shareAnswer,
  timeoutMs: limits.questionMs,
};
