import type { PeerId } from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import type { PeerMessenger } from '@peerai/messaging';
import { openMailbox } from '@peerai/messaging/mailbox';
import type { EventHub } from '../events/hub.ts';
import { createFiles, type Files } from '../files/files.ts';
import { type Groups, openGroups } from '../groups/groups.ts';
import { createKnownPeers, type KnownPeers } from '../http/known-peers.ts';
import { openMessenger, type PeerHttp } from '../http/open-messenger.ts';
import { createStatements } from '../ledger/statements.ts';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import type { PeerSettings, PeerWorld } from '../peer-world.ts';
import { createRoutes } from '../routes/routes.ts';
import { tellingStore } from '../store/telling-store.ts';
import { createTaskHandlers, type TaskHandler } from '../tasks/task-handler.ts';
import type { TaskReceipts } from '../tasks/task-receipts.ts';
import { openTasks, type Tasks } from '../tasks/tasks.ts';
import { openState, type State } from '../state/state.ts';
import { createPeerTopics, type PeerTopics } from '../topics/topics.ts';
import { type Messages, openMessages } from './messages.ts';

interface Parts {
  readonly devices: Devices;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
  /** For what was proven against it, or its reputation: not dealt with by any way letters come, as over its links. */
  readonly isRefused: (peer: PeerId) => boolean;
  /** How a device that is here is, as its heartbeat says. */
  readonly health: (peer: PeerId) => 'healthy' | 'unhealthy' | undefined;
  /** Types of tasks every peer does. */
  readonly builtIn: readonly TaskHandler[];
  /** The relays in use, the owner's and those of groups: letters for this peer may lie there. */
  readonly relays: () => readonly string[];
  /** This peer's own log: what is delivered is said there. */
  readonly ledger: OwnLedger;
  /** Signs for what devices' models do for tasks given from here. */
  readonly receipts: TaskReceipts;
  /** What this peer can do, for an older one that asks by HTTP. */
  readonly capabilities: Parameters<typeof openMessenger>[0]['capabilities'];
}

/** Everything that goes by letters: what people write, groups, tasks; and topics. */
export interface Correspondence {
  readonly messenger: PeerMessenger;
  readonly http: PeerHttp;
  /** Devices, and older peers. */
  readonly known: KnownPeers;
  readonly messages: Messages;
  readonly files: Files;
  readonly groups: Groups;
  readonly state: State;
  readonly tasks: Tasks;
  readonly topics: PeerTopics;
  /** The devices that letters to this peer go through, when a path is known. */
  through(peer: PeerId): readonly PeerId[];
  /** A paired device said hello: what letters to it need is asked for, if it is not there. */
  met(peer: PeerId): void;
  /** Listens for letters of its kinds; to be called before `run`. */
  listen(signal: AbortSignal): Promise<void>;
  /** Sends and takes letters. */
  run(signal: AbortSignal): Promise<void>;
  /** No letter is taken for its kinds any more. */
  mute(): Promise<void>;
  stop(): Promise<void>;
}

/** Throws what the store throws. */
export async function openCorrespondence(
  world: PeerWorld,
  settings: PeerSettings,
  { devices, events, nameOf, isRefused, health, builtIn, relays, ledger, receipts, capabilities }: Parts,
): Promise<Correspondence> {
  const { clock, store, identity } = world;
  const messengerStore = tellingStore(store.room('messenger'), (changes) => {
    messages.committed(changes);
    tasks.committed(changes);
  });
  const isFriend = (peer: PeerId): boolean => devices.get(peer)?.blocked === false && !isRefused(peer);
  const mailbox = await openMailbox({
    ...world,
    store: store.room('mailbox'),
    isFriend,
    relays,
    about: () => ({ name: recordName(settings.name), agent: `peerai/${settings.version}`.slice(0, 64) }),
  });
  const routes = createRoutes(world, { mailbox, devices, isFriend });
  const { carrier } = routes;
  const heartbeatMs = settings.heartbeatMs ?? limits.heartbeatEveryMs;
  const own = { messengerStore, devices, isRefused, name: settings.name, health, heartbeatMs, capabilities };
  const handlers = world.shelf === undefined ? {} : { files: () => files };
  const parts = { ...world, ...own, ...handlers, depot: mailbox.depot, route: carrier };
  const { messenger, http } = await openMessenger(parts, settings.http);
  const known = createKnownPeers(devices, http.contacts);
  const mailboxes = (): number => mailbox.places().length;
  const statements = createStatements({ ...world, ledger });
  const { contacts } = http;
  const messages = await openMessages({ clock, store, messenger, devices, contacts, events, mailboxes, statements });
  const files = createFiles({
    ...world,
    devices,
    events,
    messages,
    nameOf: (peer) => (devices.get(peer) === undefined ? http.contacts.nameOf(peer) : undefined) ?? nameOf(peer),
    http: http.askFile,
    askAgain: (peer, payload) => {
      if (http.contacts.byPeer(peer)?.url === undefined) return;
      messenger.send({ to: peer, kind: 'chunk_resend', payload }).catch(() => undefined);
    },
  });
  const groups = await openGroups({ ...world, messenger, devices, events, nameOf });
  const state = openState({ ...world, messenger, devices, groups, events, nameOf });
  const tasks = await openTasks({
    ...world,
    self: identity.peer,
    messenger,
    known,
    events,
    nameOf: (peer) => known.get(peer)?.name ?? nameOf(peer),
    receipts,
    handlers: createTaskHandlers(world.taskHandlers ?? [], builtIn),
    concurrency: settings.tasksAtOnce ?? 1,
  });
  const topics = createPeerTopics({ clock, devices, isRefused, topics: world.topics });
  return {
    messenger,
    http,
    known,
    messages,
    files,
    groups,
    state,
    tasks,
    topics,
    through: (peer) => routes.through(peer),
    met: (peer) => mailbox.records.meet(peer),
    async listen(signal) {
      messages.start();
      await statements.start(messenger, () => messages.list());
      await groups.start(signal);
      await state.start(signal);
      await tasks.start(signal);
      await files.start(signal);
    },
    async run(signal) {
      await messenger.start(signal);
      mailbox.start(messenger, signal);
      routes.start(messenger, signal);
    },
    async mute() {
      messages.stop();
      await files.stop();
      await state.stop();
      await groups.stop();
      await tasks.stop();
    },
    async stop() {
      await mailbox.stop();
      await messenger.stop();
      await statements.stop();
      await http.stop();
    },
  };
}

/** A name for the signed record: 16 characters have at most its 64 bytes. */
const recordName = (name: string): string => Array.from(name).slice(0, 16).join('');
