import {
  type CryptoProvider,
  fromBase64Url,
  PeerAiError,
  type PeerId,
  type Store,
  toBase64Url,
  toHex,
} from '@peerai/core-protocol';
import { openCheckpoint } from '@peerai/ledger';
import { decodeGenesis, pbftNames } from '@peerai/ledger/agreement';
import { verifyChainHead } from '@peerai/ledger/chain/heads';
import { createBallotBooth, type GovernanceState, stateDigest, verifyGovernance } from '@peerai/ledger/governance';
import { ballotStore } from './ballot-rows.ts';
import type { GovernanceDeps } from './governance.ts';
import type {
  GovernanceChainView,
  GovernanceDetail,
  GovernanceGroupView,
  GovernanceHeadView,
  GovernanceVerifyView,
} from './governance.schema.ts';
import type { GroupLink } from './group-link.ts';
import type { RunningGroup } from './group.ts';
import type { GroupHeads } from './heads.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import { logHeadsView } from './log-head-views.ts';
import type { GroupLogHeads } from './log-heads.ts';
import type { GroupRow } from './rows.ts';
import { decisionView, headsView, proposalView, resultsView, whoOf } from './views.ts';

export interface ShowDeps extends Pick<GovernanceDeps, 'identity' | 'nameOf' | 'isOnline' | 'relays'> {
  readonly crypto: CryptoProvider;
  readonly store: Store;
  readonly known: ReadonlyMap<string, GroupRow>;
  readonly running: ReadonlyMap<string, RunningGroup>;
  readonly links: ReadonlyMap<string, Pick<GroupLink, 'hears'>>;
  readonly heads: ReadonlyMap<string, GroupHeads>;
  readonly logHeads: Pick<GroupLogHeads, 'problem'>;
}

export function summaryOf(deps: ShowDeps, id: string): GovernanceGroupView {
  const { identity, nameOf, isOnline, known, running } = deps;
  const row = known.get(id);
  const group = running.get(id);
  const genesis = decodeGenesis(fromBase64Url(row?.genesis ?? ''));
  const members = group?.state().members ?? genesis.members;
  const status = group?.status();
  const isMember = members.includes(identity.peer);
  const wasMember = genesis.members.includes(identity.peer) || row?.owesConsent === undefined;
  return {
    id,
    name: genesis.name,
    state:
      row?.state === 'invited'
        ? 'invited'
        : isMember
          ? 'member'
          : wasMember && group !== undefined && hasLeft(group, identity.peer)
            ? 'left'
            : 'waiting',
    invitedBy: row?.from === undefined ? null : whoOf(row.from as PeerId, nameOf),
    members: members.map((peer) => ({
      ...whoOf(peer, nameOf),
      own: peer === identity.peer,
      online: peer === identity.peer || isOnline(peer),
      heard: peer === identity.peer || status?.heard.has(peer) === true,
      via: viaOf(group, peer, nameOf),
      topic: deps.links.get(id)?.hears(peer) === true,
      liar: status?.liars.includes(peer) === true,
      lies: [...(status?.lies.get(peer) ?? [])],
    })),
    height: status?.height ?? 0,
    epoch: status?.epoch.number ?? 0,
    quorum: status?.quorum ?? 0,
    open: group?.state().proposals.size ?? 0,
  };
}

function viaOf(group: RunningGroup | undefined, peer: PeerId, nameOf: ShowDeps['nameOf']) {
  const via = group?.status().ways.get(peer)?.via;
  return via === undefined ? null : whoOf(via, nameOf);
}

const hasLeft = (group: RunningGroup, peer: PeerId): boolean =>
  group.genesis.members.includes(peer) ||
  group
    .state()
    .decisions.some(
      ({ action, result }) => action.type === 'member-remove' && action.peer === peer && result === 'accepted',
    );

export async function detailOf(deps: ShowDeps, id: string): Promise<GovernanceDetail> {
  const group = deps.running.get(id);
  const summary = summaryOf(deps, id);
  const state = group?.state();
  if (group === undefined || state === undefined) {
    const none = deps.relays.view([], false);
    const counts = { epoch: 0, threshold: 0, members: 0, size: 0 };
    const signed = { key: null, ...counts, note: null, problem: null, failed: [], former: [] };
    const empty = {
      proposals: [],
      decisions: [],
      policy: [],
      blacklist: [],
      relays: none,
      points: [],
      pointsIssuedMicro: '0',
      checkpoints: [],
      signed,
      logHeads: { everyMinutes: 0, heads: [], faults: [], problem: null },
    };
    return { v: 1, group: summary, round: null, timeMs: 0, head: '', digest: '', ...empty };
  }
  const rows = ballotStore(deps.store).own(id);
  const own = async (proposal: string, isSecret: boolean) =>
    isSecret
      ? ((await rows.get(proposal))?.choice ?? null)
      : (state.proposals.get(proposal)?.votes.get(deps.identity.peer) ?? null);
  const proposals = await Promise.all(
    [...state.proposals.values()].map(async (one) =>
      proposalView(one, await own(one.id, one.secret !== undefined), deps.nameOf),
    ),
  );
  const { height, view, leader, phase } = group.status();
  return {
    v: 1,
    group: summary,
    round: {
      height: height + 1,
      attempt: view,
      leader: whoOf(leader, deps.nameOf),
      phase: phase === undefined ? null : pbftNames[phase],
    },
    timeMs: state.timeMs,
    head: toHex(group.status().head),
    digest: stateDigest(deps.crypto, state),
    proposals,
    decisions: state.decisions.toReversed().map((one) => decisionView(one, deps.nameOf)),
    ...resultsView(state, deps.relays, deps.identity.peer, deps.nameOf),
    signed: headsView(state, deps.heads.get(id)?.view(), deps.nameOf),
    logHeads: logHeadsView(state, deps.logHeads.problem(group), deps.nameOf),
  };
}

export async function chainOf(
  group: RunningGroup,
  known: ReadonlyMap<string, GroupRow>,
  from: number,
): Promise<GovernanceChainView> {
  const blocks: string[] = [];
  for await (const bytes of group.blocks(from, from + limits.blocksPageMax)) blocks.push(toBase64Url(bytes));
  const next = from + blocks.length;
  const isAll = blocks.length < limits.blocksPageMax;
  return { v: 1, genesis: known.get(group.id)?.genesis ?? '', blocks, next: isAll ? null : next };
}

/** All that is stored, from the first byte: signatures, hashes, certificates, and what the votes came to. */
export async function verifyGroup(
  { crypto, heads }: Pick<ShowDeps, 'crypto' | 'heads'>,
  group: RunningGroup,
): Promise<GovernanceVerifyView> {
  const { height } = group.state();
  const wanted = stateDigest(crypto, group.state());
  const { state, ...found } = await verifyGovernance(
    { crypto, ballots: createBallotBooth() },
    group.genesis,
    group.blocks(1, height + 1),
  );
  const signed = await signedHead(crypto, group, state, heads.get(group.id)?.view().note);
  return { v: 1, ...found, matches: found.digest === wanted, signed };
}

/** The newest signed head against the chain as it is stored, and against the keys that the chain itself names. */
async function signedHead(
  crypto: CryptoProvider,
  group: RunningGroup,
  { headKeys }: GovernanceState,
  note: string | undefined,
): Promise<GovernanceVerifyView['signed']> {
  if (note === undefined) return null;
  const { origin, size } = openCheckpoint(crypto, note);
  const found = { key: origin, size: Number(size) };
  const isNamed = [...headKeys.former, ...(headKeys.key === undefined ? [] : [headKeys.key])].some(
    ({ key }) => key === origin,
  );
  if (!isNamed) return { ...found, ok: false, problem: 'the chain names no such key' };
  try {
    await verifyChainHead(crypto, origin, note, group.blocks(1, found.size + 1));
    return { ...found, ok: true, problem: null };
  } catch (error) {
    if (!PeerAiError.is(error)) throw error;
    return { ...found, ok: false, problem: error.message };
  }
}

export async function headOf(
  { crypto, heads }: Pick<ShowDeps, 'crypto' | 'heads'>,
  group: RunningGroup,
): Promise<GovernanceHeadView> {
  const { note, problem } = heads.get(group.id)?.view() ?? {};
  if (note === undefined)
    throw new PeerAiError(
      'NOT_FOUND',
      `this group has signed no head yet${problem === undefined ? '' : `: ${problem.why}`}`,
    );
  const { origin, size } = openCheckpoint(crypto, note);
  return { v: 1, id: group.id, key: origin, size: Number(size), note };
}
