import { type MessagePriority, PeerAiError } from '@peerai/core-protocol';
import type { ChatEvent, ChatRequest } from '../chat/chat.schema.ts';
import type { CensusView } from '../discovery/census.schema.ts';
import type { CrawlView, FindRequest, FoundView } from '../discovery/discovery.schema.ts';
import type { DoctorView } from '../doctor/doctor.schema.ts';
import type { FilesView, FileView } from '../files/files.schema.ts';
import type { OlderPeerPatch, OlderPeerView } from '../http/older-peers.schema.ts';
import type { HandshakeView, PeerSessionView } from '../http/sessions.schema.ts';
import type { RevocationView, RotationView } from '../keys/keys.schema.ts';
import type {
  CapsuleDetail,
  ConsolidationUndoneView,
  ConsolidationView,
  KeptCapsuleView,
  CapsuleElsewhere,
  MemoryAddedView,
  MemoryAddRequest,
  MemoryFoundView,
  MemoryGraphView,
  MemoryPageQuestion,
  MemoryListView,
  MemorySearchRequest,
  MemorySharedView,
} from '../memory/memory.schema.ts';
import type { BroadcastView, DeliveryView, MessageView } from '../messages/messages.schema.ts';
import type { ImportedModelsView, ImportedModelView, ModelRunView } from '../models/imported.schema.ts';
import type { ModelsView } from '../models/models.schema.ts';
import type { NodeView } from '../node/node.schema.ts';
import type {
  InviteView,
  PairingsView,
  PeerPatch,
  PeerView,
  PendingPairing,
  PingView,
} from '../pairing/pairing.schema.ts';
import type { Permission } from '../pairing/permissions.ts';
import type { ShareRequest, ShareView } from '../share/share.schema.ts';
import type { CapabilitiesView, WakeView } from '../status/status.schema.ts';
import type { GroupDeliveryView, GroupMessageView, GroupSentView, GroupView } from '../groups/groups.schema.ts';
import type { NetView, TraceView } from '../paths/paths.schema.ts';
import type { PublishedView, TopicMessageView } from '../topics/topics.schema.ts';
import type { TaskDetail, TaskRequest, TasksView, TaskView } from '../tasks/tasks.schema.ts';
import type {
  TrainingDataView,
  TrainingDetail,
  TrainingJoin,
  TrainingLinkRequest,
  TrainingLinksView,
  TrainingLinkView,
  TrainingOffersView,
  TrainingRequest,
  TrainingRunView,
} from '../training/training.schema.ts';
import type { ConfigView } from './config.schema.ts';
import type { ControlEvent } from './events.ts';
import type { KeyView } from './keys.schema.ts';
import type { Problem } from './problem.ts';
import { type RoomCalls, roomCalls } from './room-calls.ts';
import type { SessionCodeView, SessionView } from './session.schema.ts';
import { readEvents } from './server-sent-events.ts';

export interface ControlOptions {
  /** `http://127.0.0.1:8006`, no slash at the end. */
  readonly baseUrl: string;
  readonly token?: string;
  readonly fetch?: typeof globalThis.fetch;
}

/** The local API of a running agent, typed. Every call throws PeerAiError with the problem's code; AGENT_NOT_RUNNING when nothing listens. */
export interface ControlClient extends RoomCalls {
  node(signal?: AbortSignal): Promise<NodeView>;
  peers(signal?: AbortSignal): Promise<readonly PeerView[]>;
  changePeer(peerId: string, patch: PeerPatch): Promise<PeerView>;
  removePeer(peerId: string): Promise<void>;
  /** Peers of older implementations, known over HTTP only. */
  olderPeers(signal?: AbortSignal): Promise<readonly OlderPeerView[]>;
  changeOlderPeer(name: string, patch: OlderPeerPatch): Promise<OlderPeerView>;
  ping(peerId: string, signal?: AbortSignal): Promise<PingView>;
  /** Tries every way to a device, to the end of each. */
  trace(peerId: string, signal?: AbortSignal): Promise<TraceView>;
  /** Who can reach this peer, as far as it knows. */
  net(signal?: AbortSignal): Promise<NetView>;
  /** A new session with a device by HTTP, in three or six steps. */
  handshake(peerId: string, six: boolean, signal?: AbortSignal): Promise<HandshakeView>;
  /** Open sessions by HTTP. */
  peerSessions(signal?: AbortSignal): Promise<readonly PeerSessionView[]>;
  /** What this peer can do, or a device. */
  capabilities(peerId?: string, signal?: AbortSignal): Promise<CapabilitiesView>;
  wake(peerId: string, wish: { readonly model?: string; readonly reason?: string }): Promise<WakeView>;
  pairings(signal?: AbortSignal): Promise<PairingsView>;
  invite(allow: readonly Permission[]): Promise<InviteView>;
  /** Resolves when the other side was reached: compare the emoji, then wait for its owner. */
  join(link: string, signal?: AbortSignal): Promise<PendingPairing>;
  pairing(id: string, signal?: AbortSignal): Promise<PendingPairing>;
  acceptPairing(id: string): Promise<PendingPairing>;
  rejectPairing(id: string): Promise<PendingPairing>;
  shares(signal?: AbortSignal): Promise<readonly ShareView[]>;
  share(request: ShareRequest): Promise<ShareView>;
  stopShare(id: string): Promise<ShareView>;
  models(signal?: AbortSignal): Promise<ModelsView>;
  exposeModel(name: string, exposed: boolean): Promise<void>;
  importedModels(signal?: AbortSignal): Promise<readonly ImportedModelView[]>;
  /** Resolves when the agent has the file on its disk and has looked at it. */
  importModel(name: string, bytes: Blob, signal?: AbortSignal): Promise<ImportedModelView>;
  /** Its `tokenizer.json`: it makes embeddings from then on. */
  addTokenizer(name: string, bytes: Blob, signal?: AbortSignal): Promise<ImportedModelView>;
  removeModel(name: string): Promise<void>;
  /** Inputs by name: numbers in lists inside each other, or a shape and data. */
  runModel(name: string, inputs: object, signal?: AbortSignal): Promise<ModelRunView>;
  remember(request: MemoryAddRequest, signal?: AbortSignal): Promise<MemoryAddedView>;
  /** Newest first, one page; `after` is the `next` of the page before. */
  memories(question: MemoryPageQuestion, signal?: AbortSignal): Promise<MemoryListView>;
  /** The newest capsules and what binds them. */
  memoryGraph(signal?: AbortSignal): Promise<MemoryGraphView>;
  /** By its id, or by a beginning of it that no other has. */
  memory(id: string, signal?: AbortSignal): Promise<CapsuleDetail>;
  searchMemory(request: MemorySearchRequest, signal?: AbortSignal): Promise<MemoryFoundView>;
  /** One that is at a paired peer, by its whole id; it is not kept here. */
  memoryAt(id: string, peer: string, signal?: AbortSignal): Promise<CapsuleElsewhere>;
  /** To a peer that is away it waits: `waiting` of the list. */
  shareMemory(id: string, to: string, signal?: AbortSignal): Promise<MemorySharedView>;
  cancelMemoryShare(id: string, to: string): Promise<void>;
  /** Peers that were given it are told. */
  forgetMemory(id: string): Promise<KeptCapsuleView>;
  /** Takes away what is old and unused, and makes one of what is nearly the same. */
  consolidateMemory(signal?: AbortSignal): Promise<ConsolidationView>;
  undoConsolidation(): Promise<ConsolidationUndoneView>;
  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent>;
  doctor(signal?: AbortSignal): Promise<DoctorView>;
  /** Peers that say they serve a model, or a peer by its id: from signed records, also of strangers. */
  findPeers(request: FindRequest, signal?: AbortSignal): Promise<FoundView>;
  /** A bounded walk from peer to peer; takes up to a minute. */
  crawl(signal?: AbortSignal): Promise<CrawlView>;
  census(signal?: AbortSignal): Promise<CensusView>;
  messages(signal?: AbortSignal): Promise<readonly MessageView[]>;
  send(to: string, kind: string, payload: unknown, priority?: MessagePriority, queue?: boolean): Promise<DeliveryView>;
  broadcast(to: readonly string[] | 'all', kind: string, payload: unknown, queue?: boolean): Promise<BroadcastView>;
  files(signal?: AbortSignal): Promise<FilesView>;
  file(id: string, signal?: AbortSignal): Promise<FileView>;
  /** Resolves when the agent has it on its disk; it is sent from then on, and told of as `file-changed`. */
  sendFile(to: string, name: string, bytes: Blob, signal?: AbortSignal): Promise<FileView>;
  /** A received file, whole. */
  fileContent(id: string, signal?: AbortSignal): Promise<Blob>;
  /** Cancels one that is on its way, removes one that is here. */
  endFile(id: string): Promise<FileView>;
  groups(signal?: AbortSignal): Promise<readonly GroupView[]>;
  createGroup(name: string, members: readonly string[]): Promise<GroupView>;
  addToGroup(group: string, peers: readonly string[]): Promise<GroupView>;
  removeFromGroup(group: string, peer: string): Promise<GroupView>;
  renewGroup(group: string): Promise<GroupView>;
  leaveGroup(group: string): Promise<void>;
  sendToGroup(group: string, kind: string, payload: unknown, queue?: boolean): Promise<GroupDeliveryView>;
  groupMessages(group: string, signal?: AbortSignal): Promise<readonly GroupMessageView[]>;
  /** What was sent to a group from here, newest first. */
  groupSent(group: string, signal?: AbortSignal): Promise<readonly GroupSentView[]>;
  groupReport(message: string, signal?: AbortSignal): Promise<GroupDeliveryView>;
  tasks(signal?: AbortSignal): Promise<TasksView>;
  task(id: string, signal?: AbortSignal): Promise<TaskDetail>;
  delegate(request: TaskRequest): Promise<TaskView>;
  cancelTask(id: string, reason?: string): Promise<TaskView>;
  trainingRuns(signal?: AbortSignal): Promise<readonly TrainingRunView[]>;
  trainingRun(id: string, signal?: AbortSignal): Promise<TrainingDetail>;
  /** Reads data in for a run; it stays with the agent. */
  readTrainingData(name: string, bytes: Blob, signal?: AbortSignal): Promise<TrainingDataView>;
  startTraining(request: TrainingRequest, signal?: AbortSignal): Promise<TrainingRunView>;
  /** Runs that devices offer now. */
  trainingOffers(signal?: AbortSignal): Promise<TrainingOffersView>;
  joinTraining(id: string, request: TrainingJoin, signal?: AbortSignal): Promise<TrainingRunView>;
  /** Leaves a run; the others go on. */
  stopTraining(id: string): Promise<TrainingRunView>;
  removeTraining(id: string): Promise<void>;
  trainingLink(run: string, request: TrainingLinkRequest, signal?: AbortSignal): Promise<TrainingLinkView>;
  trainingLinks(run: string, signal?: AbortSignal): Promise<TrainingLinksView>;
  stopTrainingLink(id: string): Promise<TrainingLinkView>;
  trainedModel(id: string, signal?: AbortSignal): Promise<Blob>;
  publish(topic: string, payload: unknown): Promise<PublishedView>;
  /** What is published from now on, until the signal; throws when the connection ends. */
  subscribe(topic: string, signal: AbortSignal, where?: string): AsyncIterable<TopicMessageView>;
  keys(signal?: AbortSignal): Promise<readonly KeyView[]>;
  makeKey(name: string): Promise<KeyView>;
  revokeKey(name: string): Promise<void>;
  /** A new key for this peer's next start; its devices are told then. */
  rotateIdentity(options: { readonly graceMs?: number; readonly force?: boolean }): Promise<RotationView>;
  /** Tells every device that this peer's key is not to be trusted any more. */
  revokeIdentity(): Promise<RevocationView>;
  config(signal?: AbortSignal): Promise<ConfigView>;
  /** A code for the address of a page, good once. */
  makeSessionCode(): Promise<SessionCodeView>;
  /** The control token for such a code; needs none itself. Throws TOKEN_WRONG when the code was used or is too old. */
  beginSession(code: string): Promise<SessionView>;
  /** Ends the agent within 5 s. */
  shutdown(): Promise<void>;
  /** Live events until the signal fires; throws when the connection ends, so that the caller decides about trying again. */
  events(signal: AbortSignal, lastEventId?: string): AsyncIterable<ControlEvent & { readonly id: string }>;
}

export function createControlClient(options: ControlOptions): ControlClient {
  const request = requester(options);
  const json = async <T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> => {
    const response = await request(method, path, body, signal);
    return (response.status === 204 ? undefined : await response.json()) as T;
  };
  const get = <T>(path: string, signal?: AbortSignal): Promise<T> => json('GET', path, undefined, signal);
  const at = (text: string): string => encodeURIComponent(text);
  return {
    ...roomCalls(json, request),
    node: (signal) => get('/node', signal),
    peers: async (signal) => (await get<{ peers: PeerView[] }>('/peers', signal)).peers,
    changePeer: (peerId, patch) => json('PATCH', `/peers/${at(peerId)}`, patch),
    removePeer: (peerId) => json('DELETE', `/peers/${at(peerId)}`),
    olderPeers: async (signal) => (await get<{ peers: OlderPeerView[] }>('/peers/older', signal)).peers,
    changeOlderPeer: (name, patch) => json('PATCH', `/peers/older/${at(name)}`, patch),
    ping: (peerId, signal) => json('POST', `/peers/${at(peerId)}/ping`, {}, signal),
    handshake: (peerId, six, signal) => json('POST', `/peers/${at(peerId)}/handshake`, { six }, signal),
    peerSessions: async (signal) => (await get<{ sessions: PeerSessionView[] }>('/peers/sessions', signal)).sessions,
    trace: (peerId, signal) => json('POST', `/peers/${at(peerId)}/trace`, {}, signal),
    net: (signal) => get('/net', signal),
    capabilities: (peerId, signal) =>
      get(peerId === undefined ? '/node/capabilities' : `/peers/${at(peerId)}/capabilities`, signal),
    wake: (peerId, wish) => json('POST', `/peers/${at(peerId)}/wake`, wish),
    pairings: (signal) => get('/pairings', signal),
    invite: (allow) => json('POST', '/pairings', { allow }),
    join: (link, signal) => json('POST', '/pairings/join', { link }, signal),
    pairing: (id, signal) => get(`/pairings/${at(id)}`, signal),
    acceptPairing: (id) => json('POST', `/pairings/${at(id)}/accept`, {}),
    rejectPairing: (id) => json('POST', `/pairings/${at(id)}/reject`, {}),
    shares: async (signal) => (await get<{ shares: ShareView[] }>('/shares', signal)).shares,
    share: (body) => json('POST', '/shares', body),
    stopShare: (id) => json('DELETE', `/shares/${at(id)}`),
    models: (signal) => get('/models', signal),
    exposeModel: (name, exposed) => json('PATCH', `/models/${at(name)}`, { exposed }),
    importedModels: async (signal) => (await get<ImportedModelsView>('/models/imported', signal)).models,
    importModel: (name, bytes, signal) =>
      json('POST', `/models/imported?${new URLSearchParams({ name }).toString()}`, bytes, signal),
    addTokenizer: (name, bytes, signal) => json('POST', `/models/imported/${at(name)}/tokenizer`, bytes, signal),
    removeModel: (name) => json('DELETE', `/models/imported/${at(name)}`),
    runModel: (name, inputs, signal) => json('POST', `/models/${at(name)}/run`, { inputs }, signal),
    remember: (body, signal) => json('POST', '/memory', body, signal),
    memories: ({ limit, ...words }, signal) => {
      const query = new URLSearchParams({ ...words, ...(limit === undefined ? {} : { limit: `${limit}` }) });
      return get(`/memory?${query.toString()}`, signal);
    },
    memoryGraph: (signal) => get('/memory/graph', signal),
    memory: (id, signal) => get(`/memory/${at(id)}`, signal),
    searchMemory: (body, signal) => json('POST', '/memory/search', body, signal),
    memoryAt: (id, peer, signal) => get(`/memory/${at(id)}/at/${at(peer)}`, signal),
    shareMemory: (id, to, signal) => json('POST', `/memory/${at(id)}/share`, { to }, signal),
    cancelMemoryShare: (id, to) => json('DELETE', `/memory/${at(id)}/share/${at(to)}`),
    forgetMemory: async (id) => (await json<{ capsule: KeptCapsuleView }>('DELETE', `/memory/${at(id)}`)).capsule,
    consolidateMemory: (signal) => json('POST', '/memory/consolidate', {}, signal),
    undoConsolidation: () => json('POST', '/memory/consolidate/undo', {}),
    chat: (body, signal) => streamOf<ChatEvent>(() => request('POST', '/chat', body, signal)),
    doctor: (signal) => get('/doctor', signal),
    findPeers: (request, signal) => json('POST', '/discovery/find', request, signal),
    crawl: (signal) => json('POST', '/discovery/crawl', {}, signal),
    census: (signal) => get('/discovery/census', signal),
    messages: async (signal) => (await get<{ messages: MessageView[] }>('/messages', signal)).messages,
    send: (to, kind, payload, priority, queue) => json('POST', '/messages', { to, kind, payload, priority, queue }),
    broadcast: (to, kind, payload, queue) => json('POST', '/broadcasts', { to, kind, payload, queue }),
    files: (signal) => get('/files', signal),
    file: async (id, signal) => (await get<{ file: FileView }>(`/files/${at(id)}`, signal)).file,
    sendFile: async (to, name, bytes, signal) => {
      const query = new URLSearchParams({ to, name }).toString();
      return (await json<{ file: FileView }>('POST', `/files?${query}`, bytes, signal)).file;
    },
    fileContent: async (id, signal) => {
      const response = await request('GET', `/files/${at(id)}/content`, undefined, signal);
      return response.blob();
    },
    endFile: async (id) => (await json<{ file: FileView }>('DELETE', `/files/${at(id)}`)).file,
    groups: async (signal) => (await get<{ groups: GroupView[] }>('/groups', signal)).groups,
    createGroup: (name, members) => json('POST', '/groups', { name, members }),
    addToGroup: (group, peers) => json('POST', `/groups/${at(group)}/members`, { peers }),
    removeFromGroup: (group, peer) => json('DELETE', `/groups/${at(group)}/members/${at(peer)}`),
    renewGroup: (group) => json('POST', `/groups/${at(group)}/renew`, {}),
    leaveGroup: (group) => json('DELETE', `/groups/${at(group)}`),
    sendToGroup: (group, kind, payload, queue) =>
      json('POST', `/groups/${at(group)}/messages`, { kind, payload, queue }),
    groupMessages: async (group, signal) =>
      (await get<{ messages: GroupMessageView[] }>(`/groups/${at(group)}/messages`, signal)).messages,
    groupSent: async (group, signal) =>
      (await get<{ messages: GroupSentView[] }>(`/groups/${at(group)}/sent`, signal)).messages,
    groupReport: (message, signal) => get(`/group-messages/${at(message)}`, signal),
    tasks: (signal) => get('/tasks', signal),
    task: (id, signal) => get(`/tasks/${at(id)}`, signal),
    delegate: (body) => json('POST', '/tasks', body),
    cancelTask: (id, reason) => json('POST', `/tasks/${at(id)}/cancel`, reason === undefined ? {} : { reason }),
    trainingRuns: async (signal) => (await get<{ runs: TrainingRunView[] }>('/training/runs', signal)).runs,
    trainingRun: (id, signal) => get(`/training/runs/${at(id)}`, signal),
    readTrainingData: async (name, bytes, signal) => {
      const query = new URLSearchParams({ name }).toString();
      return (await json<{ data: TrainingDataView }>('POST', `/training/data?${query}`, bytes, signal)).data;
    },
    startTraining: (body, signal) => json('POST', '/training/runs', body, signal),
    trainingOffers: (signal) => get('/training/offers', signal),
    joinTraining: (id, body, signal) => json('POST', `/training/offers/${at(id)}/join`, body, signal),
    stopTraining: (id) => json('POST', `/training/runs/${at(id)}/stop`, {}),
    removeTraining: (id) => json('DELETE', `/training/runs/${at(id)}`),
    trainingLink: (run, body, signal) => json('POST', `/training/runs/${at(run)}/links`, body, signal),
    trainingLinks: (run, signal) => get(`/training/runs/${at(run)}/links`, signal),
    stopTrainingLink: (id) => json('DELETE', `/training/links/${at(id)}`),
    trainedModel: async (id, signal) => {
      const response = await request('GET', `/training/runs/${at(id)}/model`, undefined, signal);
      return response.blob();
    },
    publish: (topic, payload) => json('POST', `/topics/${at(topic)}`, { payload }),
    subscribe: (topic, signal, where) => {
      const query = where === undefined ? '' : `?${new URLSearchParams({ where }).toString()}`;
      return streamOf(() => request('GET', `/topics/${at(topic)}${query}`, undefined, signal));
    },
    keys: async (signal) => (await get<{ keys: KeyView[] }>('/keys', signal)).keys,
    makeKey: (name) => json('POST', '/keys', { name }),
    revokeKey: (name) => json('DELETE', `/keys/${at(name)}`),
    rotateIdentity: (options) => json('POST', '/node/key/rotate', options),
    revokeIdentity: () => json('POST', '/node/key/revoke', {}),
    config: (signal) => get('/config', signal),
    makeSessionCode: () => json('POST', '/session-codes', {}),
    beginSession: (code) => json('POST', '/session', { code }),
    shutdown: () => json('POST', '/shutdown', {}),
    events: (signal, lastEventId) =>
      streamOf(() =>
        request('GET', '/events', undefined, signal, lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      ),
  };
}

type Requester = (
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  headers?: Readonly<Record<string, string>>,
) => Promise<Response>;

function requester({ baseUrl, token, fetch = globalThis.fetch }: ControlOptions): Requester {
  return async (method, path, body, signal, headers = {}) => {
    const init: RequestInit = {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined
          ? {}
          : { 'content-type': body instanceof Blob ? 'application/octet-stream' : 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    };
    const response = await fetch(`${baseUrl}/api/v1${path}`, init).catch((cause: unknown) => {
      if (signal?.aborted === true) throw new PeerAiError('ABORTED', 'the request was cancelled', {}, { cause });
      throw new PeerAiError('AGENT_NOT_RUNNING', `no agent answers at ${baseUrl}`, { baseUrl }, { cause });
    });
    if (!response.ok) throw await problemError(response);
    return response;
  };
}

async function problemError(response: Response): Promise<PeerAiError> {
  const problem = (await response.json().catch(() => undefined)) as Partial<Problem> | undefined;
  return new PeerAiError(
    problem?.code ?? `HTTP_${response.status}`,
    problem?.detail ?? `HTTP status ${response.status}`,
    {
      status: response.status,
      ...(problem?.hint === undefined ? {} : { hint: problem.hint }),
      ...(problem?.requestId === undefined ? {} : { requestId: problem.requestId }),
      ...(problem?.retryAfterMs === undefined ? {} : { retryAfterMs: problem.retryAfterMs }),
    },
  );
}

async function* streamOf<T>(open: () => Promise<Response>): AsyncIterable<T & { readonly id: string }> {
  const response = await open();
  if (response.body === null) return;
  for await (const event of readEvents(response.body)) {
    yield { ...(JSON.parse(event.data) as T), type: event.type, id: event.id };
  }
}
