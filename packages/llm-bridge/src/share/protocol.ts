import { type Protocol, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

const { bool, bytes, double, message, nested, oneOf, optional, repeated, string, uint32, uint53 } = wire;

/** Prompts and streamed answers. Strangers may open it: their right is proved in the first frame. See docs/protocol/model-share.md. */
export const modelProtocol: Protocol = {
  id: '/peerai/model/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: limits.shareFrameBytesMax,
  priority: 'high',
  channelsPerPeerMax: limits.shareChannelsPerPeerMax,
};

export const promptMessage = message({ role: oneOf(1, ['system', 'user', 'assistant', 'tool']), text: string(2) });
const ask = message({
  requestId: string(1),
  model: string(2),
  messages: repeated(nested(3, promptMessage), limits.promptMessagesMax),
  maxTokens: uint32(4),
  temperature: optional(double(5)),
  topP: optional(double(6)),
  seed: optional(double(7)),
  stop: repeated(string(8), limits.stopTextsMax),
  grant: optional(bytes(9)),
  /** Bytes of the answer the client holds already; absent or 0: none. */
  resumeOffset: optional(uint53(10)),
});
export type Ask = ReturnType<typeof ask.decode>;

/** What the asker sends: one `ask`, then at most one of `countersigned` and `cancel`. */
export const clientFrame = message({
  kind: oneOf(1, ['ask', 'countersigned', 'cancel']),
  ask: optional(nested(2, ask)),
  receipt: optional(bytes(3)),
});
export type ClientFrame = ReturnType<typeof clientFrame.decode>;

const toolCall = message({ id: string(1), name: string(2), argumentsText: string(3) });
const finish = message({
  reason: oneOf(1, ['stop', 'length', 'tool-calls']),
  promptTokens: uint53(2),
  answerTokens: uint53(3),
  estimated: optional(bool(4)),
  receiptHalf: bytes(5),
  suggestions: repeated(string(6), limits.suggestionsMax),
  statement: optional(bytes(7)),
});
export type FinishFrame = ReturnType<typeof finish.decode>;
export const errorFields = message({ code: string(1), message: string(2), retryAfterMs: optional(uint53(3)) });
export type ErrorFields = ReturnType<typeof errorFields.decode>;

/** What the provider sends: `queued` any number of times, `accepted`, the answer's parts, then `finish` or `error`. */
export const providerFrame = message({
  kind: oneOf(1, ['queued', 'accepted', 'delta', 'tool-call', 'finish', 'error']),
  /** Requests that will be served before this one. */
  position: optional(uint32(2)),
  /** Tokens this request may use. */
  units: optional(uint53(3)),
  /** Where in the answer's bytes this part begins. */
  offset: optional(uint53(4)),
  text: optional(string(5)),
  toolCall: optional(nested(6, toolCall)),
  finish: optional(nested(7, finish)),
  error: optional(nested(8, errorFields)),
});
export type ProviderFrame = ReturnType<typeof providerFrame.decode>;
type Sent<Kind extends ProviderFrame['kind']> = { readonly kind: Kind } & Partial<ProviderFrame>;

const nothing = {
  position: undefined,
  units: undefined,
  offset: undefined,
  text: undefined,
  toolCall: undefined,
  finish: undefined,
  error: undefined,
};
export const encodeProviderFrame = (frame: Sent<ProviderFrame['kind']>): Uint8Array =>
  providerFrame.encode({ ...nothing, ...frame });
export const encodeClientFrame = (frame: Pick<ClientFrame, 'kind'> & Partial<ClientFrame>): Uint8Array =>
  clientFrame.encode({ ask: undefined, receipt: undefined, ...frame });
