import type { PeerId } from '@peerai/core-protocol';
import { openCommons } from './commons/commons.ts';
import { openClusters } from './clusters/open-clusters.ts';
import { createCensus } from './discovery/census.ts';
import { createDiscovery } from './discovery/discovery.ts';
import { createDoctor } from './doctor/doctor.ts';
import { createEventHub } from './events/hub.ts';
import { createOlderPeers } from './http/older-peers.ts';
import { runTraffic } from './events/traffic.ts';
import { openAccounts } from './ledger/accounts.ts';
import { openKeys } from './keys/keys.ts';
import { createContact } from './links/contact.ts';
import { createLinkBook } from './links/link-book.ts';
import { createNodeLending } from './lending/lending.ts';
import { createMemory } from './memory/memory.ts';
import { openCorrespondence } from './messages/correspondence.ts';
import { openAnswers } from './models/answers.ts';
import { createImportedModels } from './models/imported-models.ts';
import { createModelsOfOwn } from './models/models-of-own.ts';
import { createNodeView } from './node/node-view.ts';
import { noteHybrid, openDevices, mayUse } from './pairing/devices.ts';
import { createPairing } from './pairing/pairing.ts';
import { createPeers } from './pairing/peers.ts';
import type { PeerSettings, PeerWorld } from './peer-world.ts';
import { openLending } from './share/lending.ts';
import { createStatus } from './status/status.ts';
import { promptHandler } from './tasks/prompt-handler.ts';
import { createTaskReceipts } from './tasks/task-receipts.ts';
import { createTraining } from './training/training.ts';
import { needsTrainingRight } from './training/training-protocol.ts';
import type { Peer } from './peer-type.ts';

export type { PeerSettings, PeerWorld } from './peer-world.ts';
export type { Peer } from './peer-type.ts';

/**
 * Opens a peer's books and puts its use cases together; nothing goes out before `start`.
 * A damaged log is opened closed: see `books.refusal`. Throws what the store throws.
 */
export async function createPeer(world: PeerWorld, settings: PeerSettings): Promise<Peer> {
  const { identity, clock, crypto, store, network, logger } = world;
  const events = createEventHub();
  const links = createLinkBook();
  const stopping = new AbortController();
  const startedMs = clock.nowMs();
  const name = (): string => settings.name;
  const addresses = (): readonly string[] => network.addresses();
  const nameOf = (peer: PeerId): string => (peer === identity.peer ? settings.name : peers.nameOf(peer));
  const peerUpdated = (peer: PeerId): void => events.emit({ type: 'peer-updated', peer: peers.view(peer) });
  const quiet = (task: Promise<void>): void =>
    void task.catch((error: unknown) =>
      logger.error('task-failed', { error: error instanceof Error ? error.message : 'unknown' }),
    );
  const devices = await openDevices(store, () => clock.nowMs());
  /** What was sealed once has to be. */
  const noteSealed = (peer: PeerId): void => {
    if (links.get(peer)?.hybrid === true) quiet(noteHybrid(devices, peer));
  };
  const isOnline = (peer: PeerId): boolean => links.get(peer) !== undefined;
  const isRefused = (peer: PeerId): boolean => commons.isRefused(peer);
  const mayChat = (peer: PeerId): boolean => mayUse(devices, peer, 'chat') && !isRefused(peer);
  const leased = () => commons.market.leased;
  const accounts = await openAccounts(world, { devices, events, leased, stopping: stopping.signal });
  const { books, signing } = accounts;
  const withLog = { ...world, ledger: accounts.ledger };
  const contact = createContact(world, settings, {
    devices,
    events,
    links,
    met(peer) {
      void models.learn(peer, stopping.signal);
      status.met(peer, stopping.signal);
      correspondence.met(peer);
      accounts.met(peer);
      memory.met(peer);
      nodeLending.met(peer);
      commons.met(peer);
    },
  });
  const { relays, reach, paths } = contact;
  const imported = createImportedModels({
    ...world,
    isTaken: (name) => local.list().some(({ card }) => card.name === name && card.engine !== 'onnx'),
    changed() {
      events.emit({ type: 'models-changed' });
      quiet(local.refresh(stopping.signal));
    },
  });
  const { own, splits } = createModelsOfOwn(world, {
    devices,
    nameOf,
    training: () => training,
    imported: () => imported,
    local: () => local,
    changed() {
      events.emit({ type: 'models-changed' });
      quiet(local.refresh(stopping.signal));
    },
    handed: (name, moved, bytes) => events.emit({ type: 'split-progress', name, moved, bytes }),
  });
  const engines = () => [...world.engines(), imported.engine, own.engine, splits.engine];
  const answers = await openAnswers({ ...world, engines, imported }, settings, {
    devices,
    events,
    links,
    signing,
    nameOf,
    memory: { recall: (question, signal) => memory.recall(question, signal) },
    reputation: () => commons.reputation,
    changed: () => contact.greetAll(),
  });
  const { local, remote, models, queue, chat, gateway } = answers;
  const memory = createMemory({
    ...withLog,
    nameOf,
    embedder: settings.memoryEmbedder ?? 'auto',
    local,
    indexes: world.memoryIndexes,
    devices,
    isOnline,
    stopping: stopping.signal,
    changed: (capsuleId, isHere) => events.emit({ type: 'memory-changed', capsuleId, isHere }),
    tidied: (name, done, all) => events.emit({ type: 'memory-progress', work: 'tidy', name, done, all }),
  });
  const answering = () => answers.answering();
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
      if (!mayChat(peer)) lending.revoke(peer);
      tasks.review(peer);
      training.review(peer);
      clusters.review(peer);
      splits.review(peer);
      nodeLending.review(peer);
      commons.review(peer);
    },
    nudge: (peer) => contact.nudge(peer),
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
      noteSealed(peer);
      contact.nudge(peer);
      peerUpdated(peer);
    },
  });
  const lending = await openLending(world, settings, {
    devices,
    events,
    accounts,
    answers,
    contact,
    isOnline,
    mayChat,
    isRefused,
    leased,
    stopping: stopping.signal,
  });
  const correspondence = await openCorrespondence(world, settings, {
    devices,
    events,
    nameOf,
    isRefused,
    health: (peer) => status.heard(peer)?.health,
    builtIn: [promptHandler({ clock, crypto, queue, local, models, reserve: (claim) => lending.reserveTask(claim) })],
    relays: () => relays.list().map(({ address }) => address),
    ledger: accounts.ledger,
    receipts: createTaskReceipts({ devices, signing }),
    capabilities: (peer, queryId) => status.capabilities.answer(peer, queryId),
  });
  const { messenger, http, known, messages, files, groups, state, tasks, topics } = correspondence;
  const status = createStatus({
    ...world,
    self: identity.peer,
    devices,
    known,
    http,
    links,
    messenger,
    name,
    version: settings.version,
    region: settings.region,
    startedMs,
    heartbeatMs: settings.heartbeatMs,
    addresses,
    local,
    models,
    mayChat,
    tasks,
    answering,
    changed: peerUpdated,
  });
  const training = createTraining({
    ...withLog,
    devices,
    events,
    nameOf,
    ownName: name,
    async reach() {
      await relays.settled(stopping.signal);
      return reach.share();
    },
    ended: () => quiet(local.refresh(stopping.signal)),
    giveWeights: (source) => splits.giveWeights(source),
    runtime: world.trainingRuntime,
  });
  const clusterWork = openClusters(
    {
      ...world,
      devices,
      events,
      nameOf,
      isOnline,
      mayTrain: (peer) => training.mayTrain(peer),
      status: () => status,
      reputation: () => commons.reputation,
      stopping: stopping.signal,
    },
    settings,
  );
  const { clusters, metrics } = clusterWork;
  const forLending = { ledger: accounts.ledger, devices, events, nameOf, isOnline, answering, tasks, settings };
  const lendingDeps = { ...forLending, commons: () => commons };
  const nodeLending = createNodeLending({ ...world, ...lendingDeps, stopping: stopping.signal });
  const commons = openCommons(
    {
      ...world,
      devices,
      events,
      relays,
      accounts,
      messages,
      memory,
      clusters,
      nameOf,
      isOnline,
      cutOff: (peer) => peers.cutOff(peer),
      nudge: (peer) => contact.nudge(peer),
      imported,
      reserve: lending.reserve,
      roundTripMs: (peer) => links.get(peer)?.roundTripMs ?? 0,
      stopping: stopping.signal,
      market: { nodeLending, local, models },
    },
    settings,
  );
  const { replaceKey } = world;
  const keys = await openKeys({
    ...withLog,
    ...(replaceKey === undefined
      ? {}
      : {
          async replaceKey(seed) {
            await memory.handOn(seed);
            await replaceKey(seed);
          },
        }),
    devices,
    messenger,
    endShares: () => lending.sharing.stopAll(),
    cutOff: (peer) => peers.cutOff(peer),
    changed: (peer) => {
      contact.nudge(peer);
      peerUpdated(peer);
    },
  });
  const engineFindings = () => local.findings();
  const doctor = createDoctor({
    clock,
    engines: engineFindings,
    ownModels: async () => (await models.list()).models.filter((model) => model.local),
    relays,
    paths,
    peers,
    books,
    settlement: () => commons.market.settlement.check(),
    addresses,
    answering,
  });
  const census = createCensus({ clock, peers, capabilities: status.capabilities, reputation: commons.reputation });
  const discovery = createDiscovery(world, settings, { devices, models, addresses });
  const about = { self: identity.peer, crypto, settings, startedMs, api: world.api };
  const node = createNodeView({ ...about, addresses, relays, reach, engines: engineFindings, answering });
  let serving: Disposable | undefined;
  let started = false;
  const linkChanged = (peer: PeerId, up: boolean): void => {
    relays.linkChanged(peer, up, stopping.signal);
    if (!up) status.left(peer);
    census.changed(up);
    events.emit({ type: up ? 'peer-connected' : 'peer-disconnected', peer: peers.view(peer) });
  };
  return {
    // Its rooms; what starts and stops below is the peer's own.
    ...commons,
    id: identity.peer,
    events,
    peers,
    pairing,
    sharing: lending.sharing,
    models,
    imported,
    own,
    splits,
    memory,
    chat,
    clusters,
    metrics,
    books,
    messages,
    files,
    groups,
    state,
    tasks,
    topics,
    training,
    nodeLending,
    status,
    paths,
    doctor,
    discovery,
    census,
    keys,
    http,
    olderPeers: createOlderPeers(http, (peer) => tasks.review(peer)),
    gateway,
    answering,
    linkBytes: () => links.bytes(),
    isGranted: (peer, protocolId) =>
      (!isRefused(peer) &&
        devices.get(peer)?.blocked === false &&
        (!needsTrainingRight(protocolId) || training.mayTrain(peer))) ||
      training.isVisitor(peer, protocolId),
    isBlocked: (peer) => devices.isBlocked(peer) || isRefused(peer),
    isHybrid: (peer) => devices.get(peer)?.hybrid === true,
    node: async () => node(),
    async start() {
      if (started) return;
      started = true;
      await local.refresh(stopping.signal);
      serving = signing.serve();
      lending.start();
      pairing.start();
      memory.start();
      await correspondence.listen(stopping.signal);
      status.start(stopping.signal);
      await correspondence.run(stopping.signal);
      quiet(
        links.run(network, stopping.signal, (peer, now, before) => {
          if ((now === undefined) !== (before === undefined)) linkChanged(peer, now !== undefined);
          else if (now?.path !== before?.path || now?.hybrid !== before?.hybrid) peerUpdated(peer);
          noteSealed(peer);
        }),
      );
      quiet(local.run(stopping.signal));
      quiet(
        runTraffic(
          { clock, links, events, tokens: () => accounts.tokens(), answering: () => queue.running },
          stopping.signal,
        ),
      );
      keys.start(stopping.signal);
      splits.start();
      await training.start();
      await clusterWork.start();
      await nodeLending.start();
      await commons.start();
      discovery.start(stopping.signal);
      contact.start();
    },
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      contact.stop();
      pairing.stop();
      lending.stop();
      await Promise.all([training.close(), splits.stop(), nodeLending.stop(), commons.stop()]);
      await correspondence.mute();
      status.stop();
      serving?.[Symbol.dispose]();
      await Promise.all([correspondence.stop(), imported.stop(), memory.stop(), clusters.close()]);
    },
  };
}
