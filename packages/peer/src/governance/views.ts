import { type PeerId, toBase64Url, toHex } from '@peerai/core-protocol';
import {
  type Action,
  castFromMs,
  type Decision,
  type GovernanceState,
  type OpenProposal,
  policyKeys,
  policyNames,
  quorumOf,
  tallyOf,
} from '@peerai/ledger/governance';
import { quorumOf as quorumToDecide } from '@peerai/ledger/agreement';
import type { GroupRelays } from './group-relays.ts';
import type { LogLine, RunningGroup } from './group.ts';
import type { HeadsView } from './heads.ts';
import { refusalText } from './refusal-words.ts';
import type {
  GovernanceActionView,
  GovernanceChoice,
  GovernanceDecisionView,
  GovernanceDetail,
  GovernanceEvidenceView,
  GovernanceHeadsView,
  GovernanceLogView,
  GovernanceProposalView,
} from './governance.schema.ts';

export type NameOf = (peer: PeerId) => string;
export const whoOf = (peer: PeerId, nameOf: NameOf) => ({ peerId: peer, name: nameOf(peer) });

export function actionView(action: Action, nameOf: NameOf): GovernanceActionView {
  const whom = (peer: PeerId) => ({ peerId: peer, peerName: nameOf(peer) });
  if (action.type === 'member-add') return { type: action.type, ...whom(action.peer) };
  if (action.type === 'checkpoint') return { type: action.type, name: action.name, sha256: toHex(action.hash) };
  if (action.type === 'relays') return { type: action.type, addresses: [...action.addresses] };
  if (action.type === 'points')
    return { type: action.type, ...whom(action.to), amountMicro: `${action.amountMicro}`, reason: action.reason };
  if (action.type === 'policy' || action.type === 'text') return action;
  const { peer, ...rest } = action;
  return { ...rest, ...whom(peer) };
}

export function proposalView(
  proposal: OpenProposal,
  own: GovernanceChoice | null,
  nameOf: NameOf,
): GovernanceProposalView {
  const { id, title, text, author, action, openedMs, closesMs, electors, votes, secret, majorityPercent } = proposal;
  const asked = [...(secret?.asked.values() ?? [])];
  return {
    id,
    title,
    text,
    author: whoOf(author, nameOf),
    action: actionView(action, nameOf),
    openedMs,
    closesMs,
    castFromMs: secret === undefined ? null : castFromMs(proposal),
    ...tallyOf(proposal),
    electors: electors.length,
    quorum: quorumOf(proposal, electors.length),
    majorityPercent,
    secret: secret !== undefined,
    votes: [...votes].map(([peer, choice]) => ({ ...whoOf(peer, nameOf), choice })),
    asked: asked.length,
    issued: asked.filter(({ signature }) => signature !== undefined).length,
    own,
  };
}

export function decisionView(decision: Decision, nameOf: NameOf): GovernanceDecisionView {
  const { id, title, author, action, height, timeMs, result, yes, no, abstain, electors, majorityPercent } = decision;
  return {
    id,
    title,
    author: whoOf(author, nameOf),
    action: actionView(action, nameOf),
    height,
    timeMs,
    result,
    yes,
    no,
    abstain,
    electors,
    quorum: quorumOf(decision, electors),
    majorityPercent,
    secret: decision.isSecret,
  };
}

/** What the chain came to, beside members and votes. */
export function resultsView(
  state: GovernanceState,
  relays: Pick<GroupRelays, 'view'>,
  self: PeerId,
  nameOf: NameOf,
): Pick<GovernanceDetail, 'policy' | 'blacklist' | 'relays' | 'points' | 'pointsIssuedMicro' | 'checkpoints'> {
  return {
    policy: policyNames.map((name) => {
      const { unit, initial, about } = policyKeys[name];
      return { name, value: state.policy[name], unit, initial, about };
    }),
    blacklist: [...state.blacklist].map(([peer, { reason }]) => ({ ...whoOf(peer, nameOf), reason })),
    relays: relays.view(state.relays, state.members.includes(self)),
    points: [...state.points].map(([peer, amount]) => ({ ...whoOf(peer, nameOf), amountMicro: `${amount}` })),
    pointsIssuedMicro: `${state.pointsIssued}`,
    checkpoints: state.checkpoints.map(({ name, hash, height }) => ({ name, sha256: hash, height })),
  };
}

export function headsView(state: GovernanceState, heads: HeadsView | undefined, nameOf: NameOf): GovernanceHeadsView {
  const { key, failed, former } = state.headKeys;
  const { note = null, size = 0, problem } = heads ?? {};
  return {
    key: key?.key ?? null,
    epoch: state.epoch,
    threshold: quorumToDecide(state.members.length),
    members: state.members.length,
    note,
    size,
    problem:
      problem === undefined ? null : { why: problem.why, peers: problem.peers.map((peer) => whoOf(peer, nameOf)) },
    failed: failed.map(({ attempt, by, blamed }) => ({
      attempt,
      by: whoOf(by, nameOf),
      blamed: blamed.map((peer) => whoOf(peer, nameOf)),
    })),
    former: former.map((one) => ({ key: one.key, epoch: one.epoch })),
  };
}

export async function evidenceView(
  group: Pick<RunningGroup, 'id' | 'evidence'>,
  nameOf: NameOf,
): Promise<GovernanceEvidenceView> {
  const lies = (await group.evidence()).map(({ kind, member, epoch, height, view, bytes }) => ({
    ...whoOf(member, nameOf),
    kind,
    epoch,
    height,
    view,
    evidence: toBase64Url(bytes),
  }));
  return { v: 1, group: group.id, lies };
}

export const logView = (lines: readonly LogLine[], nameOf: NameOf): GovernanceLogView => ({
  v: 1,
  lines: lines.toReversed().map(({ height, author, said, on, refused, isEpoch }) => ({
    height,
    author: whoOf(author, nameOf),
    what: isEpoch ? 'members' : (said?.type ?? 'unreadable'),
    on: on ?? null,
    detail:
      said?.type === 'proposal'
        ? said.proposal.title
        : said?.type === 'vote'
          ? said.choice
          : said?.type === 'ballot'
            ? said.ballot.choice
            : said?.type === 'issue'
              ? nameOf(said.member)
              : said?.type === 'transfer'
                ? nameOf(said.to)
                : said?.type === 'reward'
                  ? `${said.reward.reason} ${nameOf(said.reward.to)}`
                  : said?.type === 'head-key'
                    ? said.word.key === undefined
                      ? `attempt ${said.word.attempt} failed`
                      : `has a share, attempt ${said.word.attempt}`
                    : said?.type === 'log-heads'
                      ? said.heads.map(({ origin, size }) => `${nameOf(origin)} ${size}`).join(', ')
                      : null,
    refused: refused ?? null,
    why: refused === undefined ? null : refusalText(refused),
  })),
});
