import { fromHex, type PeerId } from '@peerai/core-protocol';
import { createReceiptBook } from '@peerai/ledger';
import { createFailures, createGateway, createModelQueue, type Gateway } from '@peerai/llm-bridge';
import { type Chat, createChat } from './chat/chat.ts';
import { createDiscovery, type Discovery } from './discovery/discovery.ts';
import { createDoctor, type Doctor } from './doctor/doctor.ts';
import { createEventHub, type EventHub } from './events/hub.ts';
import type { PeerHttp } from './http/open-messenger.ts';
import { runTraffic } from './events/traffic.ts';
import type { Groups } from './groups/groups.ts';
import { type Books, createBooks, openedView } from './ledger/books.ts';
import { openOwnLedger } from './ledger/own-ledger.ts';
import { createSigning } from './ledger/signing.ts';
import { type Keys, openKeys } from './keys/keys.ts';
import type { Hello } from './links/hello-protocol.ts';
import { createKeeper } from './links/keeper.ts';
import { createLinkBook } from './links/link-book.ts';
import { createRelays } from './links/relays.ts';
import { openCorrespondence } from './messages/correspondence.ts';
import type { Messages } from './messages/messages.ts';
import { createLocalModels } from './models/local-models.ts';
import { type Models, openModels } from './models/models.ts';
import { catalogueOf, createRoute } from './models/route.ts';
import { createRemoteModels } from './models/remote-models.ts';
import { createNodeView } from './node/node-view.ts';
import { createReach } from './node/reach.ts';
import type { NodeView } from './node/node.schema.ts';
import { leasesOf, openDevices } from './pairing/devices.ts';
import { createPairing, type Pairing } from './pairing/pairing.ts';
import { createPeers, type Peers } from './pairing/peers.ts';
import { createPeerPaths, type PeerPaths } from './paths/paths.ts';
import { openAdmission } from './share/admission.ts';
import type { PeerSettings, PeerWorld } from './peer-world.ts';
import { openShares } from './share/shares.ts';
import { serveSharing } from './share/serve-sharing.ts';
import { createSharing, shareView, type Sharing } from './share/sharing.ts';
import type { State } from './state/state.ts';
import { createStatus, type Status } from './status/status.ts';
import { promptHandler } from './tasks/prompt-handler.ts';
import type { Tasks } from './tasks/tasks.ts';
import type { PeerTopics } from './topics/topics.ts';

export type { PeerSettings, PeerWorld } from './peer-world.ts';

/** One peer: every use case, ready to be given a face. */
export interface Peer {
  readonly id: PeerId;
  readonly events: EventHub;
  readonly peers: Peers;
  readonly pairing: Pairing;
  readonly sharing: Sharing;
  readonly models: Models;
  readonly chat: Chat;
  readonly books: Books;
  readonly messages: Messages;
  readonly groups: Groups;
  readonly state: State;
  readonly tasks: Tasks;
  readonly topics: PeerTopics;
  readonly status: Status;
  readonly paths: PeerPaths;
  readonly doctor: Doctor;
  readonly discovery: Discovery;
  readonly keys: Keys;
  readonly http: PeerHttp;
  /** The OpenAI and Ollama faces. */
  readonly gateway: Gateway;
  node(): Promise<NodeView>;
  answering(): NodeView['answering'];
  linkBytes(): number;
  /** For the transport: may this peer open this `granted` protocol? */
  isGranted(peer: PeerId, protocolId: string): boolean;
  isBlocked(peer: PeerId): boolean;
  /** Safe to call twice. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Opens a peer's books and puts its use cases together; nothing goes out before `start`.
 * Throws LEDGER_DAMAGED, and what the store throws.
 */
export async function createPeer(world: PeerWorld, settings: PeerSettings): Promise<Peer> {
  const { identity, clock, random, crypto, store, network, logger } = world;
  const events = createEventHub();
  const links = createLinkBook();
  const stopping = new AbortController();
  const startedMs = clock.nowMs();
  const name = (): string => settings.name;
  const hello = () => ({
    name: settings.name,
    version: settings.version,
    addresses: [...reach.inviteAddresses()],
    http: settings.http?.url?.(),
    sessions: 1,
    nowMs: clock.nowMs(),
  });

  const { ledger, ledgerStore } = await openOwnLedger(world);
  const receipts = createReceiptBook({ store: store.room('receipts'), ledger, identity, crypto, clock });
  const books = createBooks({ crypto, ledger, store: ledgerStore });
  let tokens = 0;
  const signed = (bytes: Uint8Array): void => {
    const receipt = openedView(crypto, bytes);
    tokens += receipt.answerTokens;
    events.emit({ type: 'receipt-signed', receipt });
  };
  const leases = (peer: PeerId): readonly string[] => {
    const device = devices.get(peer);
    return device === undefined ? [] : leasesOf(device);
  };
  const signing = createSigning({
    store,
    network,
    clock,
    receipts,
    leasesOf: leases,
    signed,
    stopping: stopping.signal,
  });

  /** A hello tells our devices where we are, and makes them ask for our models again. */
  const greetAll = (): void => {
    if (linked) for (const { peer } of devices.list()) keeper.nudge(peer);
  };
  const relays = createRelays({ network, clock, logger, links, events, configured: settings.relays, placed: greetAll });
  const addresses = (): readonly string[] => network.addresses();
  const reach = createReach({ self: identity.peer, addresses, relays, pageUrl: settings.pageUrl, api: world.api });

  const devices = await openDevices(store, () => clock.nowMs());
  const remote = createRemoteModels();
  const changed = (): void => {
    events.emit({ type: 'models-changed' });
    greetAll();
  };
  let linked = false;
  const local = createLocalModels({
    clock,
    logger,
    engines: world.engines,
    findings: world.findings,
    changed,
    systemPrompt: settings.systemPrompt,
  });
  const models = await openModels({
    ...world,
    self: identity.peer,
    name,
    local,
    remote,
    devices,
    links,
    events,
    signing,
    expose: settings.expose,
    defaultModel: settings.defaultModel,
  });

  const paths = createPeerPaths({ ...world, devices, links, relays, hello });
  const met = (peer: PeerId, theirs: Hello): void => {
    paths.met(peer, theirs);
    void models.learn(peer, stopping.signal);
    status.met(peer, stopping.signal);
    correspondence.met(peer);
    // A signature that a broken link kept from getting over is owed at once, not at the next answer.
    for (const lease of leases(peer)) signing.keepUp(peer, fromHex(lease));
  };
  const keeper = createKeeper({ network, clock, logger, devices, links, hello, met });
  const mayChat = (peer: PeerId): boolean => {
    const device = devices.get(peer);
    return device?.allow.includes('chat') === true && !device.blocked;
  };
  const peers = createPeers({
    ...world,
    devices,
    links,
    events,
    heard: (peer) => status.heard(peer),
    trouble: (peer) => paths.trouble(peer),
    ownName: name,
    through: (peer) => correspondence.through(peer),
    relays: () => relays.ids(),
    modelsOf: (peer) => remote.of(peer).map(({ name: model }) => model),
    revoked: (peer) => {
      if (!mayChat(peer)) admission.revoke({ peer });
      tasks.review(peer);
    },
    nudge: (peer) => keeper.nudge(peer),
    removed: (peer) => remote.forget(peer),
  });
  const pairing = await createPairing({
    ...world,
    devices,
    events,
    name,
    async inviteAddresses() {
      await relays.settled(stopping.signal);
      return reach.pairingAddresses();
    },
    paired: (peer) => {
      keeper.nudge(peer);
      events.emit({ type: 'peer-updated', peer: peers.view(peer) });
    },
  });

  const shares = await openShares({ store, clock });
  const isOnline = (peer: PeerId): boolean => links.get(peer) !== undefined;
  const keySecret = random.bytes(32);
  const admission = await openAdmission({
    ...world,
    keySecret,
    devices,
    shares,
    receipts,
    exposed: (model) => models.isExposed(model),
    changed: (share) =>
      events.emit({
        type: 'share-changed',
        share: shareView({ admission, clock, crypto, isOnline }, share),
      }),
    signed,
  });
  const sharing = createSharing({
    ...world,
    shares,
    admission,
    events,
    name,
    isOnline,
    defaults: settings.share,
    async reach() {
      await relays.settled(stopping.signal);
      return reach.share();
    },
    ownModel: async (model) => {
      const [candidate] = await models.candidates(`${model}@${settings.name}`, stopping.signal);
      return candidate?.card.name ?? model;
    },
  });

  const queue = createModelQueue(clock, { concurrency: settings.concurrency, queueLengthMax: settings.queueLength });
  const answering = () => ({ active: queue.running, queued: queue.waiting, concurrentMax: settings.concurrency });
  const nameOf = (peer: PeerId): string => (peer === identity.peer ? settings.name : peers.nameOf(peer));
  const ownModels = async () => (await models.list()).models.filter((model) => model.local);
  const correspondence = await openCorrespondence(world, settings, {
    devices,
    events,
    nameOf,
    health: (peer) => status.heard(peer)?.health,
    builtIn: [promptHandler({ clock, queue, local, models })],
  });
  const { messenger, http, messages, groups, state, tasks, topics } = correspondence;
  const status = createStatus({
    ...world,
    self: identity.peer,
    devices,
    links,
    messenger,
    name,
    version: settings.version,
    startedMs,
    heartbeatMs: settings.heartbeatMs,
    addresses,
    local,
    models,
    mayChat,
    tasks,
    answering,
    changed: (peer) => events.emit({ type: 'peer-updated', peer: peers.view(peer) }),
  });
  const keys = await openKeys({
    ...world,
    devices,
    messenger,
    endShares: () => sharing.stopAll(),
    cutOff: (peer) => peers.cutOff(peer),
    changed: (peer) => {
      keeper.nudge(peer);
      events.emit({ type: 'peer-updated', peer: peers.view(peer) });
    },
  });
  const doctor = createDoctor({
    clock,
    engines: () => local.findings(),
    ownModels,
    relays,
    relayTrouble: (address) => paths.relayTrouble(address),
    peers,
    books,
    addresses,
    answering,
  });
  const discovery = createDiscovery(world, settings, { devices, models, addresses });
  const route = createRoute(createFailures(clock), () => queue.running + queue.waiting);
  const chat = createChat({
    clock,
    logger,
    models,
    nameOf,
    route,
    receiptView: (receipt) => openedView(crypto, receipt),
  });

  const catalogue = catalogueOf(models, route);
  const gateway = createGateway({ catalogue, clock, random, crypto, logger, self: identity.peer });

  const node = createNodeView({
    self: identity.peer,
    crypto,
    settings,
    startedMs,
    api: world.api,
    addresses,
    relays,
    reach,
    engines: () => local.findings(),
    answering,
  });
  const serving: Disposable[] = [];
  let started = false;
  const serve = (): void => {
    serving.push(
      ...serveSharing({ ...world, admission, keySecret, local, models, shares, queue, mayChat }),
      signing.serve(),
    );
  };
  const linkChanged = (peer: PeerId, up: boolean): void => {
    relays.linkChanged(peer, up, stopping.signal);
    if (!up) status.left(peer);
    events.emit({ type: up ? 'peer-connected' : 'peer-disconnected', peer: peers.view(peer) });
  };
  return {
    id: identity.peer,
    events,
    peers,
    pairing,
    sharing,
    models,
    chat,
    books,
    messages,
    groups,
    state,
    tasks,
    topics,
    status,
    paths,
    doctor,
    discovery,
    keys,
    http,
    gateway,
    answering,
    linkBytes: () => links.bytes(),
    isGranted: (peer) => devices.get(peer)?.blocked === false,
    isBlocked: (peer) => devices.isBlocked(peer),
    node: async () => node(),
    async start() {
      if (started) return;
      started = true;
      await local.refresh(stopping.signal);
      serve();
      pairing.start();
      sharing.start();
      await correspondence.listen(stopping.signal);
      status.start(stopping.signal);
      await correspondence.run(stopping.signal);
      const quiet = (task: Promise<void>): void =>
        void task.catch((error: unknown) =>
          logger.error('task-failed', { error: error instanceof Error ? error.message : 'unknown' }),
        );
      quiet(
        links.run(network, stopping.signal, (peer, now, before) => {
          if ((now === undefined) !== (before === undefined)) linkChanged(peer, now !== undefined);
          else if (now?.path !== before?.path) events.emit({ type: 'peer-updated', peer: peers.view(peer) });
        }),
      );
      quiet(local.run(stopping.signal));
      quiet(
        runTraffic({ clock, links, events, tokens: () => tokens, answering: () => queue.running }, stopping.signal),
      );
      keys.start(stopping.signal);
      discovery.start(stopping.signal);
      keeper.start();
      linked = true;
    },
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      linked = false;
      keeper.stop();
      pairing.stop();
      sharing.close();
      await correspondence.mute();
      status.stop();
      for (const one of serving.splice(0)) one[Symbol.dispose]();
      await correspondence.stop();
    },
  };
}
