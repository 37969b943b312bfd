import { compareUtf8, type CryptoProvider, type PeerId, toHex, utf8 } from '@peerai/core-protocol';
import type { Action } from './action.ts';
import type { Choice } from './entry.ts';
import type { Genesis } from '../agreement/index.ts';
import { type HeadKeys, noHeadKeys } from './head-key.ts';
import { type LogHeads, noLogHeads } from './log-heads.ts';
import { initialPolicy, type Policy } from './policy.ts';

/** Why an entry changed nothing. */
export type Refusal =
  | 'INVALID_FORMAT'
  | 'INVALID_VERSION'
  | 'INVALID_SIGNATURE'
  | 'LIMIT_EXCEEDED'
  | 'LIMIT_REACHED'
  | 'UNKNOWN_KIND'
  | 'NOT_MEMBER'
  | 'PROPOSAL_UNKNOWN'
  | 'PROPOSAL_CLOSED'
  /** Became a member after the vote was opened. */
  | 'NOT_ELECTOR'
  | 'VOTED'
  /** After the deadline; ballots are asked for in the first half of the time and cast in the second. */
  | 'TOO_LATE'
  | 'TOO_EARLY'
  /** A vote by name on a proposal with ballots, or the other way round. */
  | 'WRONG_BALLOT'
  /** More ballots than members asked for. */
  | 'BALLOT_SURPLUS'
  /** The proposal can have no effect on this group as it is. */
  | 'NO_EFFECT'
  /** More points than its author has. */
  | 'NO_POINTS'
  /** Paid for already. */
  | 'REWARDED'
  /** A head of a log against the one that the chain has of it: another root for its size, fewer entries, or no path from it. */
  | 'FORKED'
  | 'ROLLBACK'
  | 'INCONSISTENT';

/** What a proposal was opened with; later changes of the policy are for later proposals. */
export interface VoteRules {
  readonly quorumPercent: number;
  readonly majorityPercent: number;
}
export interface Tally {
  readonly yes: number;
  readonly no: number;
  readonly abstain: number;
}
export interface OpenProposal extends VoteRules {
  readonly id: string;
  readonly author: PeerId;
  readonly title: string;
  readonly text: string;
  readonly action: Action;
  readonly height: number;
  readonly openedMs: number;
  readonly closesMs: number;
  /** Members when it was opened, in their order: these vote. */
  readonly electors: readonly PeerId[];
  /** By name, where votes are open. */
  readonly votes: ReadonlyMap<PeerId, Choice>;
  readonly secret: SecretVotes | undefined;
}
export interface SecretVotes {
  readonly key: Uint8Array;
  /** Members that asked, with what they had signed; `signature` once the author answered. */
  readonly asked: ReadonlyMap<PeerId, { readonly blinded: Uint8Array; readonly signature: Uint8Array | undefined }>;
  /** By the hash of a ballot's token. */
  readonly cast: ReadonlyMap<string, Choice>;
}
export interface Decision extends VoteRules, Tally {
  readonly id: string;
  readonly author: PeerId;
  readonly title: string;
  readonly action: Action;
  readonly electors: number;
  readonly isSecret: boolean;
  /** Height of the block that opened it, and of the one that closed it, with that one's time. */
  readonly openedHeight: number;
  readonly height: number;
  readonly timeMs: number;
  /** `void`: wanted, but it had no effect any more. */
  readonly result: 'accepted' | 'rejected' | 'no-quorum' | 'void';
}
/** All that a group's chain says. The same chain gives the same state, to the byte of its digest. */
export interface GovernanceState {
  /** Hex. */
  readonly group: string;
  readonly name: string;
  /** Of the last block; 0 before the first. */
  readonly height: number;
  /** The group's clock, see `clockOf`; never goes back. */
  readonly timeMs: number;
  /** What each member said last of its own clock. */
  readonly clocks: ReadonlyMap<PeerId, number>;
  /** 0 in the beginning, one more for each change of the members. */
  readonly epoch: number;
  /** In the order of their ids. */
  readonly members: readonly PeerId[];
  /** Who they are to be: decided, and waiting for the block that begins the epoch. */
  readonly nextMembers: readonly PeerId[] | undefined;
  readonly policy: Policy;
  readonly blacklist: ReadonlyMap<PeerId, { readonly reason: string; readonly height: number }>;
  readonly relays: readonly string[];
  readonly points: ReadonlyMap<PeerId, bigint>;
  /** All that decisions have issued: what members have adds up to it. */
  readonly pointsIssued: bigint;
  /** Payer, reason and subject of what was paid for by the policy, newest last. */
  readonly rewarded: readonly string[];
  /** Newest last. */
  readonly checkpoints: readonly { readonly name: string; readonly hash: string; readonly height: number }[];
  /** The key that signs heads of the chain. */
  readonly headKeys: HeadKeys;
  /** How far its members' own logs are known. */
  readonly logHeads: LogHeads;
  readonly proposals: ReadonlyMap<string, OpenProposal>;
  /** Newest last. */
  readonly decisions: readonly Decision[];
}

/** @param genesis - its members in the order of their ids. */
export const initialState = (group: string, genesis: Pick<Genesis, 'name' | 'members'>): GovernanceState => ({
  group,
  name: genesis.name,
  height: 0,
  timeMs: 0,
  clocks: new Map(),
  epoch: 0,
  members: genesis.members.toSorted(compareUtf8),
  nextMembers: undefined,
  policy: initialPolicy,
  blacklist: new Map(),
  relays: [],
  points: new Map(),
  pointsIssued: 0n,
  rewarded: [],
  checkpoints: [],
  headKeys: noHeadKeys,
  logHeads: noLogHeads,
  proposals: new Map(),
  decisions: [],
});

/**
 * The group's clock: the (f + 1)-th latest time that members have stated, f = ⌊(n − 1) / 3⌋, so that f of them that lie can't end a vote early;
 * never before what it was.
 */
export function clockOf({ members, clocks, timeMs }: Pick<GovernanceState, 'members' | 'clocks' | 'timeMs'>): number {
  const liars = Math.floor((members.length - 1) / 3);
  const stated = members.flatMap((peer) => clocks.get(peer) ?? []).toSorted((a, b) => b - a);
  return Math.max(timeMs, stated[liars] ?? 0);
}

/** SHA-256 over all of a state as JSON with sorted names, hex: two nodes with the same digest have the same state. */
export const stateDigest = (crypto: Pick<CryptoProvider, 'sha256'>, state: GovernanceState): string =>
  toHex(crypto.sha256(utf8(JSON.stringify(plain(state)))));

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`;
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Map) return plain(Object.fromEntries(value as ReadonlyMap<string, unknown>));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.entries(value).toSorted(([a], [b]) => compareUtf8(a, b));
  return Object.fromEntries(names.map(([name, one]) => [name, plain(one)]));
}
