import {
  type CryptoProvider,
  type EntryBody,
  fromHex,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  toHex,
  utf8,
  wire,
} from '@peerai/core-protocol';
import type { ChainEntry } from '../agreement/index.ts';
import { type Action, decodeAction, encodeAction } from './action.ts';
import { headKeyCodec, type HeadKeyWord } from './head-key.ts';
import { governanceLimits as limits } from './limits.ts';
import { checkLogHeads, logHeadCodec, type LogHeadWord } from './log-heads.ts';
import { checkTransfer, type PointsSaid, rewardCodec } from './points.ts';

/** The kind of a chain's entries that this fold reads, beside those that begin an epoch. */
export const governanceKind = 'governance';

export const choices = ['yes', 'no', 'abstain'] as const;
export type Choice = (typeof choices)[number];

export interface Proposal {
  readonly title: string;
  readonly text: string;
  readonly action: Action;
  /** How long the vote is open, milliseconds. */
  readonly openMs: number;
  /** For ballots that nobody can tie to a member: the author's RSA key for this one vote, SubjectPublicKeyInfo. */
  readonly ballotKey?: Uint8Array | undefined;
}
/** A vote without a voter's name: a token that the proposal's author signed without seeing it. Any member may bring it. */
export interface Ballot {
  readonly on: string;
  readonly choice: Choice;
  /** An Ed25519 key made for this one vote, 32 bytes: it seals the choice, so that who brings a ballot can't change it. */
  readonly token: Uint8Array;
  /** The 32 bytes that RFC 9474's randomized preparation puts in front, and the signature. */
  readonly prefix: Uint8Array;
  readonly signature: Uint8Array;
  /** By the token, over proposal and choice; 64 bytes. */
  readonly seal: Uint8Array;
}
/** What a member says. Ids of proposals are hex. */
export type Said =
  | { readonly type: 'proposal'; readonly proposal: Proposal }
  | { readonly type: 'vote'; readonly on: string; readonly choice: Choice }
  /** The time is over, or nothing can change the result any more. */
  | { readonly type: 'close'; readonly on: string }
  /** Asks for one ballot. */
  | { readonly type: 'ask'; readonly on: string; readonly blinded: Uint8Array }
  /** The author's blind signature for a member that asked. */
  | { readonly type: 'issue'; readonly on: string; readonly member: PeerId; readonly signature: Uint8Array }
  | { readonly type: 'ballot'; readonly on: string; readonly ballot: Ballot }
  | PointsSaid
  | { readonly type: 'head-key'; readonly word: HeadKeyWord }
  /** How far members' own logs are; each is signed by its own. */
  | { readonly type: 'log-heads'; readonly heads: readonly LogHeadWord[] };
export interface Statement {
  /** The author's wall clock. */
  readonly timeMs: number;
  readonly said: Said;
}

const { bytes, message, nested, oneOf, optional, repeated, string, uint32, uint53, uint64 } = wire;
const proposalCodec = message({
  title: string(1),
  text: string(2),
  action: nested(3, { encode: encodeAction, decode: decodeAction }),
  openMs: uint53(4),
  ballotKey: optional(bytes(5)),
});
const ballotCodec = message({
  choice: oneOf(1, choices),
  token: bytes(2),
  prefix: bytes(3),
  signature: bytes(4),
  seal: bytes(5),
});
const codec = message({
  version: uint32(1),
  timeMs: uint53(2),
  type: oneOf(3, [
    'proposal',
    'vote',
    'close',
    'ask',
    'issue',
    'ballot',
    'transfer',
    'reward',
    'head-key',
    'log-heads',
  ]),
  on: optional(bytes(4)),
  proposal: optional(nested(5, proposalCodec)),
  choice: optional(oneOf(6, choices)),
  blinded: optional(bytes(7)),
  member: optional(bytes(8)),
  signature: optional(bytes(9)),
  ballot: optional(nested(10, ballotCodec)),
  amountMicro: optional(uint64(11)),
  reason: optional(string(12)),
  reward: optional(nested(13, rewardCodec)),
  headKey: optional(nested(14, headKeyCodec)),
  logHeads: repeated(nested(15, logHeadCodec), limits.logHeadsTogether),
});

/** What a member gives to the agreement, which signs it. Throws LIMIT_EXCEEDED, INVALID_FORMAT. */
export function encodeStatement({ timeMs, said }: Statement): EntryBody {
  checkSaid(said);
  const body = codec.encode({
    version: 1,
    timeMs,
    type: said.type,
    on: 'on' in said ? fromHex(said.on) : undefined,
    proposal: said.type === 'proposal' ? { ...said.proposal, ballotKey: said.proposal.ballotKey } : undefined,
    choice: said.type === 'vote' ? said.choice : undefined,
    blinded: said.type === 'ask' ? said.blinded : undefined,
    member:
      said.type === 'issue'
        ? publicKeyFromPeerId(said.member)
        : said.type === 'transfer'
          ? publicKeyFromPeerId(said.to)
          : undefined,
    signature: said.type === 'issue' ? said.signature : undefined,
    ballot: said.type === 'ballot' ? said.ballot : undefined,
    amountMicro: said.type === 'transfer' ? said.amountMicro : undefined,
    reason: said.type === 'transfer' ? said.reason : undefined,
    reward: said.type === 'reward' ? said.reward : undefined,
    headKey: said.type === 'head-key' ? said.word : undefined,
    logHeads: said.type === 'log-heads' ? said.heads : [],
  });
  return { kind: governanceKind, body };
}

/** Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function decodeStatement(body: Uint8Array): Statement {
  const { version, timeMs, ...rest } = codec.decode(body);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `entry version ${version}; this program reads 1`);
  const said = saidOf(rest);
  checkSaid(said);
  return { timeMs, said };
}

/** Hex: an author never has two entries of one number, so two proposals of the same words are two. */
export const proposalIdOf = (
  crypto: Pick<CryptoProvider, 'sha256'>,
  { author, number, body }: Pick<ChainEntry, 'author' | 'number' | 'body'>,
): string => toHex(crypto.sha256(publicKeyFromPeerId(author), utf8(`${number}:`), body));

function saidOf(read: Omit<ReturnType<typeof codec.decode>, 'version' | 'timeMs'>): Said {
  const { type } = read;
  if (type === 'proposal') return { type, proposal: need(read.proposal) };
  if (type === 'reward') return { type, reward: need(read.reward) };
  if (type === 'transfer')
    return {
      type,
      to: peerIdFromPublicKey(need(read.member)),
      amountMicro: need(read.amountMicro),
      reason: need(read.reason),
    };
  if (type === 'head-key') return { type, word: need(read.headKey) };
  if (type === 'log-heads') return { type, heads: read.logHeads };
  const on = need(read.on);
  if (on.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'an id has 32 bytes');
  const id = toHex(on);
  if (type === 'close') return { type, on: id };
  if (type === 'vote') return { type, on: id, choice: need(read.choice) };
  if (type === 'ask') return { type, on: id, blinded: need(read.blinded) };
  if (type === 'ballot') return { type, on: id, ballot: { on: id, ...need(read.ballot) } };
  return { type, on: id, member: peerIdFromPublicKey(need(read.member)), signature: need(read.signature) };
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new PeerAiError('INVALID_FORMAT', 'a field of this entry is missing');
  return value;
}

function checkSaid(said: Said): void {
  if (said.type === 'proposal') checkProposal(said.proposal);
  if (said.type === 'transfer') checkTransfer(said);
  if (said.type === 'log-heads') checkLogHeads(said.heads);
  const isBytes = (length: number, wanted: number): void => {
    if (length !== wanted) throw new PeerAiError('INVALID_FORMAT', `${wanted} bytes expected, not ${length}`);
  };
  if (said.type === 'ask') isBytes(said.blinded.length, limits.ballotSignatureBytes);
  if (said.type === 'issue') isBytes(said.signature.length, limits.ballotSignatureBytes);
  if (said.type !== 'ballot') return;
  isBytes(said.ballot.token.length, limits.ballotTokenBytes);
  isBytes(said.ballot.prefix.length, limits.ballotTokenBytes);
  isBytes(said.ballot.signature.length, limits.ballotSignatureBytes);
  isBytes(said.ballot.seal.length, 64);
}

function checkProposal({ title, text, openMs, ballotKey }: Proposal): void {
  if (title.trim() === '') throw new PeerAiError('INVALID_FORMAT', 'a proposal has a title');
  const isOver =
    title.length > limits.titleCharsMax ||
    text.length > limits.textCharsMax ||
    openMs < limits.openMsMin ||
    openMs > limits.openMsMax ||
    (ballotKey?.length ?? 0) > limits.ballotKeyBytesMax;
  if (isOver) throw new PeerAiError('LIMIT_EXCEEDED', 'a field of this proposal is over its limit');
}
