import { type Protocol, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { errorFields } from './protocol.ts';

const { bytes, message, nested, oneOf, optional, repeated, string, uint32, uint53 } = wire;

/** Texts to vectors, under the same admission, queue and receipts as answers. See docs/protocol/model-share.md. */
export const embedProtocol: Protocol = {
  id: '/peerai/embed/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: limits.embedFrameBytesMax,
  channelsPerPeerMax: limits.embedChannelsPerPeerMax,
};

const embedAsk = message({
  requestId: string(1),
  model: string(2),
  texts: repeated(string(3), limits.embedTextsMax),
  grant: optional(bytes(4)),
});
export type EmbedAsk = ReturnType<typeof embedAsk.decode>;
/** One `ask`, then at most one `countersigned`. */
export const embedClientFrame = message({
  kind: oneOf(1, ['ask', 'countersigned']),
  ask: optional(nested(2, embedAsk)),
  receipt: optional(bytes(3)),
});
const vectors = message({
  dimensions: uint32(1),
  /** Row after row, float32, little-endian. */
  rows: bytes(2),
  promptTokens: uint53(3),
  receiptHalf: bytes(4),
});
/** One of the two. */
export const embedProviderFrame = message({
  kind: oneOf(1, ['vectors', 'error']),
  vectors: optional(nested(2, vectors)),
  error: optional(nested(3, errorFields)),
});
