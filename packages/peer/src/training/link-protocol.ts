import { type Method, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

const { bytes, message, nested, optional, string, uint32, uint53 } = wire;

const question = message({ version: uint32(1), grant: bytes(2) });
const shard = message({ name: string(1), sha256: bytes(2), bytes: uint53(3) });
const answer = message({
  terms: bytes(1),
  plan: bytes(2),
  round: uint32(3),
  members: uint32(4),
  expiresMs: uint53(5),
  /** The part of the owner's data that is handed out to this visitor. */
  shard: optional(nested(6, shard)),
});
export type LinkAnswer = ReturnType<typeof answer.decode>;

/** `/peerai/train/link/1`: a visitor proves its ticket, hears what is trained, and may take part in that run from then on. */
export const linkMethod: Method<ReturnType<typeof question.decode>, LinkAnswer> = {
  protocol: {
    id: '/peerai/train/link/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: limits.trainingLinkBytesMax,
    channelsPerPeerMax: 2,
  },
  request: question,
  response: answer,
  timeoutMs: limits.trainingQuestionMs,
};
