import { type CryptoProvider, fromBase64Url, type PeerId, type Store, toBase64Url, toHex } from '@peerai/core-protocol';
import { decodeGenesis } from '@peerai/ledger/agreement';
import { createBallotBooth, stateDigest, verifyGovernance } from '@peerai/ledger/governance';
import { ballotStore } from './ballot-rows.ts';
import type { GovernanceDeps } from './governance.ts';
import type {
  GovernanceChainView,
  GovernanceDetail,
  GovernanceGroupView,
  GovernanceVerifyView,
} from './governance.schema.ts';
import type { RunningGroup } from './group.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import type { GroupRow } from './rows.ts';
import { decisionView, proposalView, resultsView, whoOf } from './views.ts';

export interface ShowDeps extends Pick<GovernanceDeps, 'identity' | 'nameOf' | 'isOnline' | 'relays'> {
  readonly crypto: CryptoProvider;
  readonly store: Store;
  readonly known: ReadonlyMap<string, GroupRow>;
  readonly running: ReadonlyMap<string, RunningGroup>;
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
      liar: status?.liars.includes(peer) === true,
    })),
    height: status?.height ?? 0,
    epoch: status?.epoch.number ?? 0,
    quorum: status?.quorum ?? 0,
    open: group?.state().proposals.size ?? 0,
  };
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
    const none = { addresses: [], command: null };
    const empty = {
      proposals: [],
      decisions: [],
      policy: [],
      blacklist: [],
      relays: none,
      points: [],
      pointsIssuedMicro: '0',
      checkpoints: [],
    };
    return { v: 1, group: summary, timeMs: 0, head: '', digest: '', ...empty };
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
  return {
    v: 1,
    group: summary,
    timeMs: state.timeMs,
    head: toHex(group.status().head),
    digest: stateDigest(deps.crypto, state),
    proposals,
    decisions: state.decisions.toReversed().map((one) => decisionView(one, deps.nameOf)),
    ...resultsView(state, deps.relays, deps.nameOf),
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
  { crypto }: Pick<ShowDeps, 'crypto'>,
  group: RunningGroup,
): Promise<GovernanceVerifyView> {
  const { height } = group.state();
  const wanted = stateDigest(crypto, group.state());
  const { state: _, ...found } = await verifyGovernance(
    { crypto, ballots: createBallotBooth() },
    group.genesis,
    group.blocks(1, height + 1),
  );
  return { v: 1, ...found, matches: found.digest === wanted };
}
