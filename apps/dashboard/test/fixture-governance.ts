import { nobleCrypto, toBase64Url, toHex } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { createAgreement, encodeGenesis, type Genesis } from '@peerai/ledger/agreement';
import {
  encodeStatement,
  initialPolicy,
  policyKeys,
  policyNames,
  type Said,
  verifyGovernance,
} from '@peerai/ledger/governance';
import type { GovernanceDetail, GovernanceGroupView, GovernanceProposalView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';

/** A small chain that is really signed, by one member, so that the page's own check has something to check. */
async function makeChain() {
  const world = memoryWorld({ seed: 11, crypto: nobleCrypto });
  const genesis: Genesis = {
    version: 1,
    name: 'Lake house',
    members: [world.identity.peer],
    nonce: new Uint8Array(16),
  };
  const link = { broadcast: () => undefined, send: () => undefined, receive: () => () => undefined };
  const agreement = await createAgreement({ ...world, link, judge: () => true }, { genesis });
  await agreement.start();
  const { signal } = new AbortController();
  const say = (said: Said) => agreement.propose(encodeStatement({ timeMs: 1_000, said }), signal);
  for (const title of ['Paint it', 'Ask less']) {
    await say({ type: 'proposal', proposal: { title, text: '', action: { type: 'text' }, openMs: 60_000 } });
  }
  const { group, height } = agreement.status();
  const blocks: Uint8Array[] = [];
  for await (const bytes of agreement.blocks(1, height + 1)) blocks.push(bytes);
  await agreement.stop();
  const all = async function* () {
    yield* blocks;
  };
  const ballots = { verify: async () => false };
  const { digest, head } = await verifyGovernance({ crypto: nobleCrypto, ballots }, genesis, all());
  return { id: toHex(group), genesis: toBase64Url(encodeGenesis(genesis)), blocks, digest, head };
}
const chain = makeChain();

const self = { peerId: '12D3KooWLaptop', name: 'laptop' };
const study = { peerId: '12D3KooWStudy', name: 'study-pc' };
const mira = { peerId: '12D3KooWMira', name: 'mira-mac' };
const nas = { peerId: '12D3KooWNas', name: 'attic-nas' };
const member = (who: typeof self, online: boolean) => ({
  ...who,
  own: who === self,
  online,
  heard: online,
  via: null as typeof self | null,
  topic: false,
  liar: false,
  lies: [],
});
const members = [
  member(self, true),
  member(study, true),
  { ...member(mira, false), via: study },
  { ...member(nas, true), liar: true, lies: ['conflicting-finalize' as const] },
];

/** What a test changes: the proposals, and blocks that lie. */
export interface GovernanceState {
  groups: GovernanceGroupView[];
  proposals: GovernanceProposalView[];
  /** Blocks of the chain as they are answered. */
  readonly altered: Map<number, Uint8Array>;
  /** A state that the agent makes up. */
  digest?: string;
}

const invitedId = 'cd'.repeat(32);
const tally = { abstain: 0, electors: 4, quorum: 3, majorityPercent: 50, secret: false };
const dayMs = 86_400_000;

export function fixtureGovernance(nowMs: number): GovernanceState {
  const about = { openedMs: nowMs - dayMs, castFromMs: null, asked: 0, issued: 0 };
  return {
    altered: new Map(),
    groups: [
      {
        id: invitedId,
        name: 'Street relay',
        state: 'invited',
        invitedBy: mira,
        members: [member(mira, false), member(self, true)],
        height: 0,
        epoch: 0,
        quorum: 0,
        open: 0,
      },
    ],
    proposals: [
      {
        ...about,
        ...tally,
        id: 'a1'.repeat(32),
        title: 'Raise the quorum',
        text: 'Twice now two of us decided for all.',
        author: study,
        action: { type: 'policy', name: 'quorum-percent', value: 75 },
        majorityPercent: 66,
        closesMs: nowMs + 2 * dayMs,
        yes: 1,
        no: 1,
        votes: [
          { ...study, choice: 'yes' },
          { ...nas, choice: 'no' },
        ],
        own: null,
      },
      {
        ...about,
        ...tally,
        id: 'a2'.repeat(32),
        title: 'Refuse the scraper',
        text: '',
        author: nas,
        action: { type: 'blacklist-add', peerId: '12D3KooWScraper', peerName: '…WScraper', reason: 'asks without end' },
        closesMs: nowMs + 5_400_000,
        castFromMs: nowMs,
        secret: true,
        yes: 2,
        no: 0,
        abstain: 1,
        votes: [],
        asked: 3,
        issued: 3,
        own: 'yes',
      },
    ],
  };
}

async function detailOf(state: GovernanceState, id: string, nowMs: number): Promise<GovernanceDetail | undefined> {
  const real = await chain;
  const group = (await groupsOf(state)).find((one) => one.id === id);
  if (group === undefined) return undefined;
  const counts = { epoch: 0, threshold: 3, members: 4, size: 0 };
  const signed = { key: null, ...counts, note: null, problem: null, failed: [], former: [] };
  const none = {
    proposals: [],
    decisions: [],
    policy: [],
    blacklist: [],
    points: [],
    pointsIssuedMicro: '0',
    checkpoints: [],
    signed,
    logHeads: { everyMinutes: 60, heads: [], faults: [], problem: null },
  };
  const relays = { addresses: [], mode: 'follow' as const, used: [], reasons: [], command: null };
  if (id !== real.id) return { v: 1, group, round: null, timeMs: 0, head: '', digest: '', relays, ...none };
  return {
    ...none,
    v: 1,
    group,
    round: { height: group.height + 1, attempt: 2, leader: mira, phase: 'view-change' },
    timeMs: nowMs,
    head: real.head,
    digest: state.digest ?? real.digest,
    proposals: state.proposals,
    decisions: [
      {
        ...tally,
        id: 'b1'.repeat(32),
        title: 'Cheaper nodes',
        author: mira,
        action: { type: 'policy', name: 'incentives.node_hour_micro', value: 500_000 },
        height: 2,
        timeMs: nowMs - 3 * dayMs,
        result: 'accepted',
        yes: 3,
        no: 1,
      },
      {
        ...tally,
        id: 'b2'.repeat(32),
        title: 'Let old-nas go',
        author: study,
        action: { type: 'member-remove', peerId: nas.peerId, peerName: nas.name },
        height: 1,
        timeMs: nowMs - 9 * dayMs,
        result: 'no-quorum',
        yes: 1,
        no: 0,
      },
    ],
    policy: policyNames.map((name) => {
      const { unit, initial, about } = policyKeys[name];
      return { name, value: initialPolicy[name], unit, initial, about };
    }),
    blacklist: [{ peerId: '12D3KooWForger', name: 'old-nas', reason: 'signed two histories' }],
    relays: {
      addresses: ['/dns4/relay.example/tcp/4001'],
      mode: 'show',
      used: [],
      reasons: [
        {
          address: '/dns4/relay.example/tcp/4001',
          code: 'RELAYS_SHOWN_ONLY',
          text: 'governance.relays says that relays of groups are only shown here.',
        },
      ],
      command: "peerai config set network.relays '[…]'",
    },
    points: [{ ...study, amountMicro: '2500000' }],
    pointsIssuedMicro: '2500000',
    checkpoints: [{ name: 'lake-model', sha256: 'ef'.repeat(32), height: 2 }],
    signed: {
      ...signed,
      problem: { why: 'members-away', peers: [mira] },
      failed: [{ attempt: 0, by: study, blamed: [nas] }],
    },
    logHeads: {
      everyMinutes: 60,
      heads: [
        { ...self, size: 1_204, root: 'ab'.repeat(32), height: 2, timeMs: nowMs - 1_800_000 },
        { ...nas, size: 77, root: 'cd'.repeat(32), height: 1, timeMs: nowMs - dayMs },
      ],
      faults: [{ ...nas, kind: 'rollback', height: 2, heldSize: 77, saidSize: 12 }],
      problem: null,
    },
  };
}

async function groupsOf(state: GovernanceState): Promise<GovernanceGroupView[]> {
  const { id, blocks } = await chain;
  const own: GovernanceGroupView = {
    id,
    name: 'Lake house',
    state: 'member',
    invitedBy: null,
    members,
    height: blocks.length,
    epoch: 0,
    quorum: 3,
    open: state.proposals.length,
  };
  return [own, ...state.groups];
}

/** As the members show what was wished for. */
function shown(
  wish: ReturnType<typeof schemas.governanceProposeSchema.parse>['action'],
): GovernanceProposalView['action'] {
  if (!('peer' in wish)) return wish;
  const { peer, ...rest } = wish;
  const peerName = members.find(({ peerId }) => peerId === peer)?.name ?? peer;
  return { ...rest, peerId: peer, peerName };
}

/** Groups that decide together, of the local API. */
export async function answerGovernance(
  state: GovernanceState,
  { method, path, query }: { readonly method: string; readonly path: string; readonly query: URLSearchParams },
  body: unknown,
): Promise<unknown> {
  const [, , id, room, proposal] = path.split('/');
  const detail = async (of: string) => schemas.governanceDetailSchema.parse(await detailOf(state, of, Date.now()));
  if (id === undefined && method === 'GET')
    return schemas.governanceGroupsSchema.parse({ v: 1, groups: await groupsOf(state) });
  if (id === undefined) {
    const wish = schemas.governanceCreateSchema.parse(body);
    const others = [study, mira, nas].filter(({ peerId }) => wish.members.includes(peerId));
    const made: GovernanceGroupView = {
      id: 'ee'.repeat(32),
      name: wish.name,
      state: 'member',
      invitedBy: null,
      members: [member(self, true), ...others.map((one) => member(one, true))],
      height: 0,
      epoch: 0,
      quorum: others.length + 1,
      open: 0,
    };
    state.groups = [...state.groups, made];
    return detail(made.id);
  }
  if (method === 'DELETE') {
    state.groups = state.groups.filter((one) => one.id !== id);
    return { v: 1 };
  }
  if (room === 'blocks') {
    const { blocks, genesis } = await chain;
    const from = Number(query.get('from'));
    // Two pages, so that the page has to ask again.
    const at = from - 1;
    const part = blocks.slice(at, at + 1).map((bytes) => toBase64Url(state.altered.get(at) ?? bytes));
    return schemas.governanceChainSchema.parse({
      v: 1,
      genesis,
      blocks: part,
      next: from < blocks.length ? from + 1 : null,
    });
  }
  if (room === 'join') state.groups = state.groups.map((one) => (one.id === id ? { ...one, state: 'waiting' } : one));
  if (room === 'proposals' && proposal === undefined) {
    const wish = schemas.governanceProposeSchema.parse(body);
    const first = state.proposals[0];
    if (first === undefined) return undefined;
    const made = { ...first, id: 'a3'.repeat(32), title: wish.title, text: wish.text, author: self, yes: 0, no: 0 };
    state.proposals = [...state.proposals, { ...made, action: shown(wish.action), votes: [], secret: wish.secret }];
    return schemas.governanceSaidSchema.parse({ v: 1, group: id, proposal: made.id, height: 3 });
  }
  if (room === 'proposals') {
    const { choice } = schemas.governanceVoteSchema.parse(body);
    state.proposals = state.proposals.map((one) =>
      one.id === proposal ? { ...one, own: choice, [choice]: one[choice] + 1 } : one,
    );
    return schemas.governanceSaidSchema.parse({ v: 1, group: id, proposal, height: 3 });
  }
  return detail(id);
}
