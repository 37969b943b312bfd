import { type Method, type Protocol, wire } from '@peerai/core-protocol';
import { governanceRoomLimits as limits } from './limits.ts';

const { bytes, message, oneOf, optional, uint32 } = wire;

/** What members say to each other of one group's agreement, or of its key. */
export const lineFrame = message({ group: bytes(1), message: bytes(2) });

/** `/peerai/agreement/1`: messages of the agreement of any group both are in, one way; each side opens its own. */
export const agreementProtocol: Protocol = {
  id: '/peerai/agreement/1',
  access: 'granted',
  framing: 'messages',
  messageBytesMax: limits.lineMessageBytesMax,
  channelsPerPeerMax: 2,
};

/** `/peerai/heads/1`: how members make their key for signing heads, and sign with it; as the agreement's messages, by other names than the groups'. */
export const headsProtocol: Protocol = {
  id: '/peerai/heads/1',
  access: 'granted',
  framing: 'messages',
  messageBytesMax: limits.headsMessageBytesMax,
  channelsPerPeerMax: 2,
};

const question = message({
  kind: oneOf(1, ['invite', 'consent', 'ballot', 'log-head']),
  /** `invite`: how the group began. */
  genesis: optional(bytes(2)),
  /** `consent`, `ballot` and `log-head`: which group. */
  group: optional(bytes(3)),
  consent: optional(bytes(4)),
  /** An entry's body of type `ballot`, and how many members had it. */
  ballot: optional(bytes(5)),
  hops: optional(uint32(6)),
});
const answer = message({
  version: uint32(1),
  /** Of `log-head`: a word about the answerer's own log; none where the chain has all that is worth a block. */
  logHead: optional(bytes(2)),
});
export type GovernanceAnswer = ReturnType<typeof answer.decode>;
export type GovernanceQuestion = ReturnType<typeof question.decode>;

export const plainQuestion = {
  genesis: undefined,
  group: undefined,
  consent: undefined,
  ballot: undefined,
  hops: undefined,
} as const;

/** `/peerai/governance/1`: invitations, the yes to one, ballots on their way, and how far members' logs are. */
export const governanceMethod: Method<GovernanceQuestion, GovernanceAnswer> = {
  protocol: {
    id: '/peerai/governance/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.callBytesMax,
    channelsPerPeerMax: 4,
  },
  request: question,
  response: answer,
  timeoutMs: limits.callMs,
};
