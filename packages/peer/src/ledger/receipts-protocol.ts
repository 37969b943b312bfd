import { type Method, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

const { bytes, message, optional } = wire;

/** Without a receipt: "what do I still owe under this lease?"; with one: its countersigned form. */
export const owedQuestion = message({ lease: bytes(1), countersigned: optional(bytes(2)) });
/** The half that waits for the asker's signature, or nothing. */
export const owedAnswer = message({ half: optional(bytes(1)) });
export type OwedQuestion = ReturnType<typeof owedQuestion.decode>;
export type OwedAnswer = ReturnType<typeof owedAnswer.decode>;

/** `/peerai/receipts/1`: a consumer whose link broke before it could countersign catches up. */
export const receiptsMethod: Method<OwedQuestion, OwedAnswer> = {
  protocol: {
    id: '/peerai/receipts/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 16_384,
    channelsPerPeerMax: 2,
  },
  request: owedQuestion,
  response: owedAnswer,
  timeoutMs: limits.questionMs,
};
