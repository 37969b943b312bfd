import type {
  CacheView,
  DoctorView,
  DocumentContents,
  FileView,
  GroupMessageView,
  GroupSentView,
  GroupView,
  ImportedModelView,
  LedgerHead,
  ModelsView,
  SplitsView,
  NodeView,
  PeerView,
  PendingPairing,
  ReputationView,
  ShareView,
  MessageView,
  TaskDetail,
} from '@peerai/peer/control';

import { fixtureCache } from './fixture-cache.ts';
import { fixtureFiles } from './fixture-files.ts';
import { fixtureGovernance, type GovernanceState } from './fixture-governance.ts';
import { fixtureLog, type LogState } from './fixture-ledger.ts';
import { fixtureMarket, type MarketState } from './fixture-market.ts';
import { fixtureNodes, type NodesState } from './fixture-nodes.ts';
import { fixtureClusters, type ClustersState } from './fixture-clusters.ts';
import { fixtureMemory, type MemoryState } from './fixture-memory.ts';
import { fixtureImported, fixtureSplit } from './fixture-models.ts';
import { fixtureTraining, type TrainingState } from './fixture-training.ts';
import { fixtureReputations } from './fixture-reputation.ts';
import { fixtureRooms } from './fixture-rooms.ts';

/** A small network with every state in it. Times are relative to `nowMs`. */
export interface FixtureState {
  node: NodeView;
  peers: PeerView[];
  pending: PendingPairing[];
  shares: ShareView[];
  models: ModelsView;
  splits: SplitsView;
  imported: ImportedModelView[];
  /** What came last as the tokenizer of one. */
  tokenizer: unknown;
  cache: CacheView;
  doctor: DoctorView;
  ledger: LedgerHead;
  log: LogState;
  tasks: TaskDetail[];
  messages: MessageView[];
  files: FileView[];
  training: TrainingState;
  memory: MemoryState;
  clusters: ClustersState;
  reputations: ReputationView[];
  market: MarketState;
  nodes: NodesState;
  governance: GovernanceState;
  groups: GroupView[];
  groupMessages: GroupMessageView[];
  groupSent: GroupSentView[];
  documents: DocumentContents[];
}

const minuteMs = 60_000;

const fingerprints = {
  laptop: {
    emoji: ['🦊', '🌲', '🥁', '🧊', '🐢', '🎈', '🔑', '🍋'],
    words: ['fox', 'tree', 'drum', 'ice', 'turtle', 'balloon', 'key', 'lemon'],
    hex: 'c2d851ee9b073a64'.repeat(4),
  },
  study: {
    emoji: ['🐢', '🎈', '🔑', '🍋', '🐙', '🍐', '⚓', '🎲'],
    words: ['turtle', 'balloon', 'key', 'lemon', 'octopus', 'pear', 'anchor', 'dice'],
    hex: '7f3a91c20d5eb846'.repeat(4),
  },
} as const;

function peer(peerId: string, name: string, patch: Partial<PeerView>, nowMs: number): PeerView {
  return {
    peerId,
    name,
    kind: 'device',
    state: 'online',
    path: 'direct',
    roundTripMs: 8.2,
    bytesSent: 4_100_000,
    bytesReceived: 1_900_000,
    models: ['mistral', 'nano'],
    allow: ['chat'],
    pairedMs: nowMs - 90 * 24 * 60 * minuteMs,
    lastSeenMs: nowMs,
    fingerprint: { ...fingerprints.study, emoji: [...fingerprints.study.emoji], words: [...fingerprints.study.words] },
    address: '/ip4/192.168.1.20/tcp/4001',
    health: 'healthy',
    report: null,
    ...patch,
  };
}

export function fixtureTask(id: string, patch: Partial<TaskDetail>, nowMs: number): TaskDetail {
  return {
    v: 1,
    id,
    direction: 'given',
    peerId: '12D3KooWStudy',
    peerName: 'study-pc',
    type: 'research',
    title: 'Compare the three heat pumps',
    priority: 'normal',
    status: 'completed',
    createdMs: nowMs - 12 * minuteMs,
    deadlineMs: null,
    startedMs: nowMs - 11 * minuteMs,
    endedMs: nowMs - 10 * minuteMs,
    percent: 100,
    message: null,
    code: null,
    cancelling: false,
    attempts: 1,
    description: 'Compare the three heat pumps\nby noise and price.',
    context: { model: 'mistral' },
    result: { text: 'The second one is the quietest.' },
    ...patch,
  };
}

export function fixtureShare(id: string, patch: Partial<ShareView>, nowMs: number): ShareView {
  return {
    id,
    models: ['nano'],
    link: `https://relay.example/s#${'v1abcdefgh'.repeat(40)}`,
    apiKey: 'peerai-share-fixture',
    reach: 'relay',
    createdMs: nowMs,
    expiresMs: nowMs + 118 * minuteMs,
    tokens: { budget: 20_000, used: 1_800, reserved: 0 },
    guestsMax: 3,
    guests: [],
    concurrency: 1,
    active: 0,
    state: 'active',
    ...patch,
  };
}

export function fixtureState(api: string, nowMs: number): FixtureState {
  const running = { status: 'in_progress', percent: 40, endedMs: null, result: null, message: '82 tokens' } as const;
  const rejected = { status: 'rejected', startedMs: null, percent: null, result: null, code: 'NO_HANDLER' } as const;
  return {
    ...fixtureRooms(nowMs),
    files: fixtureFiles(nowMs),
    training: fixtureTraining(nowMs),
    memory: fixtureMemory(nowMs),
    clusters: fixtureClusters(nowMs),
    reputations: fixtureReputations(nowMs),
    market: fixtureMarket(nowMs),
    nodes: fixtureNodes(nowMs),
    governance: fixtureGovernance(nowMs),
    log: fixtureLog(),
    tasks: [
      fixtureTask(
        't2running',
        { ...running, title: 'Summarise the minutes', deadlineMs: nowMs + 30 * minuteMs },
        nowMs,
      ),
      fixtureTask('t1done', {}, nowMs),
      fixtureTask(
        't3rejected.KooWPix',
        {
          ...rejected,
          direction: 'taken',
          peerName: 'pixel',
          title: 'deploy',
          message: 'tasks of type deploy are not done here',
        },
        nowMs,
      ),
    ],
    messages: [
      {
        id: 'm3file',
        from: '12D3KooWStudy',
        fromName: 'study-pc',
        kind: 'file',
        payload: { file: 'f1'.repeat(16), name: 'holiday photos from the lake.zip', bytes: 31_400_000, sha256: '9c11' },
        sentMs: nowMs - minuteMs,
      },
      {
        id: 'm2',
        from: '12D3KooWStudy',
        fromName: 'study-pc',
        kind: 'data',
        payload: { disk: 'full' },
        sentMs: nowMs - minuteMs,
      },
      {
        id: 'm1',
        from: '12D3KooWPixel',
        fromName: 'pixel',
        kind: 'text',
        payload: 'good morning',
        sentMs: nowMs - 9 * minuteMs,
      },
    ],
    node: {
      v: 1,
      name: 'laptop',
      peerId: '12D3KooWLaptop',
      fingerprint: {
        ...fingerprints.laptop,
        emoji: [...fingerprints.laptop.emoji],
        words: [...fingerprints.laptop.words],
      },
      version: '0.1.0',
      startedMs: nowMs - 95 * minuteMs,
      home: '/home/me/.local/share/peerai',
      api,
      addresses: [
        '/ip4/192.168.1.10/tcp/4001/p2p/12D3KooWLaptop',
        '/ip4/192.168.1.10/udp/4001/quic-v1/p2p/12D3KooWLaptop',
      ],
      relays: [{ address: '/dns4/relay.example/tcp/443/wss', state: 'connected' }],
      reach: 'relay',
      engines: [
        { kind: 'ollama', url: 'http://127.0.0.1:11434', state: 'absent', detail: 'nothing listens there', models: [] },
        { kind: 'nano', state: 'found', detail: 'built in, 2.6 M parameters', models: ['nano'] },
        {
          kind: 'llama-cpp',
          url: 'http://127.0.0.1:8000',
          state: 'refused',
          detail: 'it answered, but it is PeerAI itself',
          models: [],
        },
      ],
      pageUrl: 'https://relay.example/s',
      answering: { active: 0, queued: 0, concurrentMax: 2 },
    },
    peers: [
      peer('12D3KooWStudy', 'study-pc', { allow: ['chat', 'train'], hybrid: true }, nowMs),
      peer('12D3KooWNuc', 'lab-nuc', { roundTripMs: 23, models: ['mistral'], bytesSent: 300_000 }, nowMs),
      peer('12D3KooWPixel', 'pixel', { path: 'relayed', roundTripMs: 61, models: [], bytesSent: 90_000 }, nowMs),
      peer(
        '12D3KooWNas',
        'attic-nas',
        {
          state: 'offline',
          path: null,
          roundTripMs: null,
          lastSeenMs: nowMs - 2 * 1440 * minuteMs,
          trouble: {
            step: 'dial',
            code: 'NOBODY_LISTENS',
            reason: 'The machine at /ip4/192.168.1.9/tcp/4001 is up and refuses the connection: nobody listens there.',
            remedy: 'Start it on attic-nas, and see there that it listens.',
            command: 'peerai up',
          },
        },
        nowMs,
      ),
      peer(
        '12D3KooWBad',
        'somebody',
        { state: 'blocked', path: null, roundTripMs: null, allow: [], models: [] },
        nowMs,
      ),
    ],
    pending: [],
    shares: [
      fixtureShare(
        's1',
        {
          guests: [
            { peerId: 'g1', emoji: ['🐙', '🍐', '⚓', '🎲'], online: true, tokensUsed: 1_500, lastSeenMs: nowMs },
            {
              peerId: 'g2',
              emoji: ['🦊', '🍐', '🔑', '🎲'],
              online: false,
              tokensUsed: 300,
              lastSeenMs: nowMs - 4 * minuteMs,
            },
          ],
        },
        nowMs,
      ),
      fixtureShare(
        's2',
        { state: 'spent', tokens: { budget: 5_000, used: 5_000, reserved: 0 }, createdMs: nowMs - 1440 * minuteMs },
        nowMs,
      ),
    ],
    models: {
      v: 1,
      defaultModel: 'mistral@study-pc',
      models: [
        model('nano', '12D3KooWLaptop', 'laptop', {
          local: true,
          engine: 'nano',
          path: 'local',
          exposed: true,
          description: 'Recites what it learned about PeerAI.',
        }),
        model('mistral@study-pc', '12D3KooWStudy', 'study-pc', { engine: 'ollama' }),
        model('nano@study-pc', '12D3KooWStudy', 'study-pc', {
          engine: 'nano',
          contextTokensMax: 256,
          memoryBytes: 12_000_000,
        }),
        model('mistral@lab-nuc', '12D3KooWNuc', 'lab-nuc', { engine: 'ollama', fits: false }),
      ],
    },
    cache: fixtureCache(nowMs),
    splits: { v: 1, splits: [fixtureSplit(nowMs)] },
    imported: fixtureImported(nowMs),
    tokenizer: undefined,
    doctor: {
      v: 1,
      checks: [
        {
          id: 'engine',
          title: 'Ollama',
          state: 'broken',
          cause: 'nothing listens on 127.0.0.1:11434',
          remedy: 'Start it, then check again.',
          command: 'ollama serve',
        },
        {
          id: 'port',
          title: 'Way in from outside',
          state: 'look',
          cause: 'no port mapping, the relay is needed',
          remedy: 'Turn on UPnP in the router.',
          command: 'peerai doctor',
        },
        { id: 'relay', title: 'Relay', state: 'ok', cause: 'reserved, 31 ms' },
        { id: 'clock', title: 'Clock', state: 'ok', cause: '0.2 s off, limit 30 s' },
        { id: 'key', title: 'Key file', state: 'ok', cause: 'readable by you only' },
        { id: 'store', title: 'Store', state: 'ok', cause: 'opens, 48 MB, 31 GB free' },
      ],
    },
    ledger: { v: 1, origin: 'peerai/laptop', size: 1204, root: 'b1f077ac3e92aa01'.repeat(4), note: '' },
  };
}

function model(
  name: string,
  peerId: string,
  peerName: string,
  patch: Partial<ModelsView['models'][number]>,
): ModelsView['models'][number] {
  return {
    name,
    model: name.split('@')[0] ?? name,
    peerId,
    peerName,
    local: false,
    engine: 'ollama',
    contextTokensMax: 32_768,
    memoryBytes: 4_400_000_000,
    loaded: true,
    fits: true,
    embeds: false,
    exposed: false,
    path: 'direct',
    description: '',
    ...patch,
  };
}

export function fixturePairing(patch: Partial<PendingPairing>, nowMs: number): PendingPairing {
  return {
    id: 'p1',
    peerId: '12D3KooWMira',
    name: 'mira-mac',
    emoji: ['🐙', '🍐', '⚓', '🎲'],
    emojiNames: ['octopus', 'pear', 'anchor', 'dice'],
    direction: 'incoming',
    allow: ['chat'],
    state: 'waiting',
    sinceMs: nowMs - 20_000,
    ...patch,
  };
}
