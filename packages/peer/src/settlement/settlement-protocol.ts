import { type Method, wire } from '@peerai/core-protocol';
import { settlementLimits as limits } from './limits.ts';

const { bytes, message, oneOf, optional, uint53, uint64 } = wire;

/** `key`: here is my settlement key, say yours. `endorsement`: the borrower's word to the contract for a receipt that both signed. */
const question = message({
  kind: oneOf(1, ['key', 'endorsement']),
  /** As `stateSettlementKey` signs it. */
  statement: optional(bytes(2)),
  /** With both signatures. */
  receipt: optional(bytes(3)),
  endorsement: optional(bytes(4)),
  /** The lease's id, 32 bytes: what is leased says which receipt it is. Absent: a usage receipt, which names it. */
  lease: optional(bytes(5)),
});
const answer = message({
  statement: optional(bytes(1)),
  /** Where this peer settles: the chain (EIP-155), the contract, 20 bytes, and wei of a micro-credit. */
  chainId: uint53(2),
  contract: bytes(3),
  weiPerMicro: uint64(4),
  /** Place of the newest receipt of that lease that is endorsed here. */
  n: uint53(5),
});
export type SettlementQuestion = ReturnType<typeof question.decode>;
export type SettlementAnswer = ReturnType<typeof answer.decode>;

/** `/peerai/settlement/1`: settlement keys and endorsements between the two parties of a lease. */
export const settlementMethod: Method<SettlementQuestion, SettlementAnswer> = {
  protocol: {
    id: '/peerai/settlement/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.messageBytesMax,
    channelsPerPeerMax: 2,
  },
  request: question,
  response: answer,
  timeoutMs: limits.callMs,
};
