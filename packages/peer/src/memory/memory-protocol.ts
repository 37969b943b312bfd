import { type Method, wire } from '@peerai/core-protocol';
import { embedderKinds, privacyLevels } from '@peerai/nn-engine/memory';
import { limits } from '../limits.ts';

const { bytes, double, message, oneOf, optional, repeated, string, uint32, uint53 } = wire;

/** `share`: a signed capsule to keep. `forget`: its author's signed word. `search`: a text and what filters it. `get`: one capsule by its id. */
export const memoryQuestion = message({
  kind: oneOf(1, ['share', 'search', 'forget', 'get']),
  signed: optional(bytes(2)),
  text: optional(string(3)),
  tags: repeated(string(4), limits.memoryTagsMax),
  fromMs: optional(uint53(5)),
  toMs: optional(uint53(6)),
  qualityMin: optional(double(7)),
  limit: optional(uint32(8)),
  level: optional(oneOf(9, privacyLevels)),
  id: optional(string(10)),
});
/** Of a search one for each hit, best first; of `get` a hit or `absent`. */
export const memoryReply = message({
  outcome: oneOf(1, ['taken', 'known', 'forgotten', 'absent', 'hit']),
  capsule: optional(bytes(2)),
  score: optional(double(3)),
  similarity: optional(double(4)),
  /** By what the hit was found; of a program from before, by what its capsule says. */
  by: optional(oneOf(5, embedderKinds)),
});
export type MemoryQuestion = ReturnType<typeof memoryQuestion.decode>;
export type MemoryReply = ReturnType<typeof memoryReply.decode>;

/** With nothing asked yet. */
export const plainQuestion = {
  signed: undefined,
  text: undefined,
  tags: [],
  fromMs: undefined,
  toMs: undefined,
  qualityMin: undefined,
  limit: undefined,
  level: undefined,
  id: undefined,
} as const;

/** `/peerai/memory/1`: between paired peers. */
export const memoryMethod: Method<MemoryQuestion, MemoryReply> = {
  protocol: {
    id: '/peerai/memory/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.memoryMessageBytesMax,
    channelsPerPeerMax: 2,
  },
  request: memoryQuestion,
  response: memoryReply,
  timeoutMs: limits.questionMs,
};
