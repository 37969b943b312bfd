import { type CryptoProvider, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { epochKind, readMembersPayload } from '../agreement/epoch.ts';
import type { Block, ChainEntry } from '../agreement/index.ts';
import type { LedgerErrorCode } from '../errors.ts';
import { isRuleAction } from './action.ts';
import { askBallot, type BallotVerifier, castBallot, issueBallot } from './secret.ts';
import { decodeStatement, governanceKind, type Proposal, proposalIdOf, type Said } from './entry.ts';
import { execute } from './execute.ts';
import { isConsent } from './consent.ts';
import { takeHeadKey, withoutHeadKey } from './head-key.ts';
import { governanceLimits as limits } from './limits.ts';
import { takeLogHeads } from './log-heads.ts';
import { movePoints, type PointsSaid } from './points.ts';
import { refusalOf, Refused, refuseIf } from './refused.ts';
import { clockOf, type GovernanceState, type OpenProposal, type Refusal } from './state.ts';
import { isCertain, resultOf, tallyOf } from './tally.ts';

export interface FoldDeps {
  readonly crypto: CryptoProvider;
  readonly ballots: BallotVerifier;
}
/** A decided block, or what of it the fold reads. Signatures and certificate are the agreement's matter. */
export interface DecidedBlock {
  readonly header: Pick<Block['header'], 'height'>;
  readonly entries: readonly Pick<ChainEntry, 'author' | 'number' | 'kind' | 'body'>[];
}
type DecidedEntry = DecidedBlock['entries'][number];
/** What became of an entry. */
export interface Outcome {
  readonly author: PeerId;
  readonly said: Said | undefined;
  /** Of a proposal, its id; of what is said on one, that one's. */
  readonly on: string | undefined;
  readonly refused: Refusal | undefined;
}
export interface Folded {
  readonly state: GovernanceState;
  /** One an entry, in their order. */
  readonly outcomes: readonly Outcome[];
}

/**
 * The state after one more decided block. What is refused changes nothing but its author's clock, and says why. Asks nothing but its arguments, so every
 * node comes to the same state. Throws NOT_IN_LOG when it is not the next block, and what the verifier of ballots throws.
 */
export async function foldBlock(deps: FoldDeps, before: GovernanceState, block: DecidedBlock): Promise<Folded> {
  const { height } = block.header;
  if (height !== before.height + 1)
    throw new PeerAiError<LedgerErrorCode>('NOT_IN_LOG', `block ${before.height + 1} comes before block ${height}`);
  let state: GovernanceState = { ...before, height };
  const outcomes: Outcome[] = [];
  for (const entry of block.entries) {
    const { next, ...outcome } = await foldEntry(deps, state, entry);
    state = next;
    outcomes.push(outcome);
  }
  return { state, outcomes };
}

async function foldEntry(
  deps: FoldDeps,
  before: GovernanceState,
  entry: DecidedEntry,
): Promise<Outcome & { readonly next: GovernanceState }> {
  const { author } = entry;
  let state = before;
  let said: Said | undefined;
  try {
    if (entry.kind === epochKind)
      return { author, said, on: undefined, refused: undefined, next: newEpoch(state, entry.body) };
    refuseIf(entry.kind !== governanceKind, 'UNKNOWN_KIND');
    refuseIf(!state.members.includes(author), 'NOT_MEMBER');
    const statement = decodeStatement(entry.body);
    said = statement.said;
    state = withClock(state, author, statement.timeMs);
    if (said.type === 'transfer' || said.type === 'reward') {
      const next = movePoints(state, author, said);
      return { author, said, on: undefined, refused: undefined, next };
    }
    if (said.type === 'head-key') {
      const headKeys = takeHeadKey(state, author, said.word);
      return { author, said, on: undefined, refused: undefined, next: { ...state, headKeys } };
    }
    if (said.type === 'log-heads') {
      // A lie is refused and kept all the same: the state names who said it.
      const { logHeads, refused } = takeLogHeads(deps.crypto, state, said.heads);
      return { author, said, on: undefined, refused, next: { ...state, logHeads } };
    }
    const on = said.type === 'proposal' ? proposalIdOf(deps.crypto, entry) : said.on;
    const next = await take(deps, state, { author, on, timeMs: statement.timeMs }, said);
    return { author, said, on, refused: undefined, next };
  } catch (error) {
    const on = said !== undefined && 'on' in said ? said.on : undefined;
    return { author, said, on, refused: refusalOf(error), next: state };
  }
}

/** The agreement took it, so it holds; its rule is that only what was decided here is taken. */
function newEpoch(state: GovernanceState, body: Uint8Array): GovernanceState {
  const members = readMembersPayload(body);
  const clocks = new Map([...state.clocks].filter(([peer]) => members.includes(peer)));
  const headKeys = withoutHeadKey(state.headKeys);
  return { ...state, epoch: state.epoch + 1, members, nextMembers: undefined, clocks, headKeys };
}

function withClock(state: GovernanceState, author: PeerId, timeMs: number): GovernanceState {
  if (timeMs <= (state.clocks.get(author) ?? -1)) return state;
  const moved = { ...state, clocks: new Map(state.clocks).set(author, timeMs) };
  return { ...moved, timeMs: clockOf(moved) };
}

interface Author {
  readonly author: PeerId;
  readonly on: string;
  readonly timeMs: number;
}

async function take(
  deps: FoldDeps,
  state: GovernanceState,
  by: Author,
  said: Exclude<Said, PointsSaid | { type: 'head-key' | 'log-heads' }>,
): Promise<GovernanceState> {
  if (said.type === 'proposal') return openVote(deps, state, by, said.proposal);
  const proposal = state.proposals.get(by.on);
  if (proposal === undefined)
    throw new Refused(state.decisions.some(({ id }) => id === by.on) ? 'PROPOSAL_CLOSED' : 'PROPOSAL_UNKNOWN');
  if (said.type === 'close') return close(state, proposal);
  refuseIf(state.timeMs >= proposal.closesMs, 'TOO_LATE');
  if (said.type === 'vote') return withProposal(state, voted(proposal, by.author, said.choice));
  const { secret } = proposal;
  if (secret === undefined) throw new Refused('WRONG_BALLOT');
  const facts = { ...proposal, secret, nowMs: state.timeMs };
  if (said.type === 'ask')
    return withProposal(state, { ...proposal, secret: askBallot(facts, by.author, said.blinded) });
  if (said.type === 'issue') return withProposal(state, { ...proposal, secret: issueBallot(facts, by.author, said) });
  return withProposal(state, { ...proposal, secret: await castBallot(deps, facts, said.ballot) });
}

const withProposal = (state: GovernanceState, proposal: OpenProposal): GovernanceState => ({
  ...state,
  proposals: new Map(state.proposals).set(proposal.id, proposal),
});

function openVote(
  { crypto }: FoldDeps,
  state: GovernanceState,
  { author, on: id, timeMs }: Author,
  { title, text, action, openMs, ballotKey }: Proposal,
): GovernanceState {
  const open = [...state.proposals.values()];
  const own = open.filter((one) => one.author === author).length;
  refuseIf(open.length >= limits.openProposalsMax || own >= limits.openOfOneMax, 'LIMIT_REACHED');
  if (action.type === 'member-add')
    refuseIf(!isConsent(crypto, state.group, action.peer, action.consent), 'INVALID_SIGNATURE');
  refuseIf(execute(state, action) === undefined, 'NO_EFFECT');
  // The group's clock may stand still since long, as nobody said anything: then the author's is nearer. One ahead only keeps its own vote open.
  const openedMs = Math.max(state.timeMs, timeMs);
  const closesMs = openedMs + openMs;
  refuseIf(!Number.isSafeInteger(closesMs), 'LIMIT_EXCEEDED');
  return withProposal(state, {
    id,
    author,
    title,
    text,
    action,
    height: state.height,
    openedMs,
    closesMs,
    quorumPercent: state.policy['quorum-percent'],
    majorityPercent: state.policy[isRuleAction(action) ? 'rules-majority-percent' : 'majority-percent'],
    electors: state.members,
    votes: new Map(),
    secret: ballotKey === undefined ? undefined : { key: ballotKey, asked: new Map(), cast: new Map() },
  });
}

function voted(proposal: OpenProposal, author: PeerId, choice: 'yes' | 'no' | 'abstain'): OpenProposal {
  refuseIf(proposal.secret !== undefined, 'WRONG_BALLOT');
  refuseIf(!proposal.electors.includes(author), 'NOT_ELECTOR');
  refuseIf(proposal.votes.has(author), 'VOTED');
  return { ...proposal, votes: new Map(proposal.votes).set(author, choice) };
}

/** Whether a proposal may be closed at this time of the group's clock. */
export function mayClose(proposal: OpenProposal, nowMs: number): boolean {
  if (nowMs >= proposal.closesMs) return true;
  return proposal.secret === undefined && isCertain(proposal, proposal.electors.length, tallyOf(proposal));
}

function close(state: GovernanceState, proposal: OpenProposal): GovernanceState {
  refuseIf(!mayClose(proposal, state.timeMs), 'TOO_EARLY');
  const {
    id,
    author,
    title,
    action,
    electors,
    secret,
    quorumPercent,
    majorityPercent,
    height: openedHeight,
  } = proposal;
  const tally = tallyOf(proposal);
  const wanted = resultOf(proposal, electors.length, tally);
  const proposals = new Map(state.proposals);
  proposals.delete(id);
  const after = wanted === 'accepted' ? execute(state, action) : undefined;
  const decision = {
    id,
    author,
    title,
    action,
    electors: electors.length,
    isSecret: secret !== undefined,
    quorumPercent,
    majorityPercent,
    ...tally,
    openedHeight,
    height: state.height,
    timeMs: state.timeMs,
    result: wanted === 'accepted' && after === undefined ? ('void' as const) : wanted,
  };
  return { ...(after ?? state), proposals, decisions: [...state.decisions, decision].slice(-limits.decisionsKept) };
}
