import { type Change, type Clock, type Logger, type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { CryptoProvider, Identity, Random, Store } from '@peerai/core-protocol';
import type { PeerMessenger } from '@peerai/messaging';
import { type GroupMessage, type GroupView as Group, openGroups as openMlsGroups } from '@peerai/messaging/groups';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import { type Devices, mayUse } from '../pairing/devices.ts';
import { findNamed } from '../store/find-named.ts';
import { records } from '../store/records.ts';
import { tellingStore } from '../store/telling-store.ts';
import type { GroupDeliveryView, GroupMessageView, GroupSentView, GroupView } from './groups.schema.ts';
import { openSent } from './sent.ts';

export interface GroupsDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
  readonly store: Store;
  readonly network: Network;
  readonly logger: Logger;
  /** Before it is started. */
  readonly messenger: PeerMessenger;
  readonly devices: Devices;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
}

/** Groups of paired devices. A group is named by its id, by the beginning of it (8 digits or more), or by its name where one group alone has it. */
export interface Groups {
  list(): Promise<readonly GroupView[]>;
  /** Throws GROUP_UNKNOWN. */
  get(text: string): Promise<GroupView>;
  /** Throws DEVICE_UNKNOWN, LIMIT_REACHED, LIMIT_EXCEEDED, and what `add` throws; the group is there then, with nobody else in it. */
  create(name: string, members: readonly string[], signal: AbortSignal): Promise<GroupView>;
  /** Throws GROUP_UNKNOWN, DEVICE_UNKNOWN, NOT_COMMITTER, ALREADY_MEMBER, PEER_UNREACHABLE, REFUSED, LIMIT_REACHED. */
  add(text: string, peers: readonly string[], signal: AbortSignal): Promise<GroupView>;
  /** Throws GROUP_UNKNOWN, NOT_MEMBER, NOT_COMMITTER. */
  remove(text: string, peer: string): Promise<GroupView>;
  /** Throws GROUP_UNKNOWN. */
  leave(text: string): Promise<void>;
  /** New keys for everybody. Throws GROUP_UNKNOWN, NOT_COMMITTER. */
  renew(text: string): Promise<GroupView>;
  /** Durable when it resolves, which waits a moment to be able to say "delivered". Throws GROUP_UNKNOWN, INVALID_FORMAT, LIMIT_EXCEEDED. */
  send(text: string, kind: string, payload: unknown, queue?: boolean): Promise<GroupDeliveryView>;
  /** Throws NOT_FOUND for a message that is not ours, or long past. */
  report(message: string): Promise<GroupDeliveryView>;
  /** What was received in one group, newest first. Throws GROUP_UNKNOWN. */
  messages(text: string): Promise<readonly GroupMessageView[]>;
  /** What was sent to one group from here, newest first. Throws GROUP_UNKNOWN. */
  sent(text: string): Promise<readonly GroupSentView[]>;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export async function openGroups(deps: GroupsDeps): Promise<Groups> {
  const { devices, events, clock } = deps;
  const inbox = await openInbox(deps);
  const mayAdd = (peer: PeerId): boolean => mayUse(devices, peer, 'chat');
  const mls = openMlsGroups({
    ...deps,
    store: tellingStore(deps.store.room('groups'), (changes) => inbox.committed(changes)),
    take: (message) => inbox.take(message),
    mayAdd,
    changed: (id, group) =>
      events.emit({ type: 'group-changed', groupId: id, group: group === undefined ? null : view(group) }),
  });
  const view = ({ id, name, committer, members, epoch }: Group): GroupView => ({
    id,
    name,
    members: members.map((peer) => ({ peerId: peer, name: deps.nameOf(peer) })),
    committer,
    mine: committer === deps.identity.peer,
    epoch,
  });
  const find = async (text: string): Promise<Group> =>
    findNamed(await mls.list(), text, { code: 'GROUP_UNKNOWN', what: 'group' });
  const memberOf = ({ members }: Group, text: string): PeerId =>
    members.find((peer) => peer === text || deps.nameOf(peer) === text) ?? devices.find(text).peer;
  const look = async (message: string): Promise<GroupDeliveryView | undefined> => {
    const found = await mls.report(message);
    if (found === undefined) return undefined;
    const members = found.members.map(({ peer, ...state }) => ({ peerId: peer, name: deps.nameOf(peer), ...state }));
    return { v: 1, id: found.id, group: found.group, members };
  };
  const report = async (message: string): Promise<GroupDeliveryView> => {
    const found = await look(message);
    if (found === undefined) throw new PeerAiError('NOT_FOUND', 'no such message of ours is remembered');
    return found;
  };
  const sent = openSent(deps.store, look);
  const add: Groups['add'] = async (text, peers, signal) => {
    const { id } = await find(text);
    return view(
      await mls.add(
        id,
        peers.map((peer) => devices.find(peer).peer),
        signal,
      ),
    );
  };
  return {
    add,
    report,
    list: async () => (await mls.list()).map(view),
    get: async (text) => view(await find(text)),
    create: async (name, members, signal) => {
      for (const peer of members) devices.find(peer);
      const { id } = await mls.create(name);
      return members.length === 0 ? view(await find(id)) : add(id, members, signal);
    },
    remove: async (text, peer) => {
      const group = await find(text);
      return view(await mls.remove(group.id, memberOf(group, peer)));
    },
    leave: async (text) => mls.leave((await find(text)).id),
    renew: async (text) => view(await mls.renew((await find(text)).id)),
    send: async (text, kind, payload, queue = false) => {
      const { id: group } = await find(text);
      const id = await mls.send(group, kind, payload);
      await sent.keep({ id, group, kind, payload, sentMs: clock.nowMs() });
      const waitMs = queue ? 0 : limits.deliveredWaitMs;
      for (let waitedMs = 0; waitedMs < waitMs; waitedMs += limits.groupLookMs) {
        if ((await report(id)).members.every(({ state }) => state !== 'queued')) break;
        await clock.sleep(limits.groupLookMs);
      }
      return report(id);
    },
    messages: async (text) => {
      const { id } = await find(text);
      return (await inbox.list()).filter(({ group }) => group === id);
    },
    sent: async (text) => sent.list((await find(text)).id),
    start: (signal) => mls.start(signal),
    stop: () => mls.stop(),
  };
}

interface Inbox {
  list(): Promise<readonly GroupMessageView[]>;
  take(message: GroupMessage): Promise<readonly Change[]>;
  committed(changes: readonly Change[]): void;
}

/** What groups brought, kept to read; people hear of it once it is on the disk. */
async function openInbox({ store, devices, events, nameOf }: GroupsDeps): Promise<Inbox> {
  const room = store.room('group-messages');
  const rows = records<GroupMessageView>(room, 'in');
  /** What is on its way to the disk; after a commit that failed it comes again under the same key. */
  const arriving = new Map<string, GroupMessageView>();
  const keys = new Set<string>();
  for await (const [key] of rows.all()) keys.add(key);
  return {
    list: async () => {
      const views: GroupMessageView[] = [];
      for await (const [, one] of rows.all()) views.push(one);
      return views.toReversed();
    },
    take: async ({ group, groupName, id, sender, kind, payload, sentMs }) => {
      if (devices.get(sender)?.blocked !== false)
        throw new PeerAiError('REFUSED', 'only paired devices are heard here');
      const message = { id, group, groupName, from: sender, fromName: nameOf(sender), kind, payload, sentMs };
      const key = `${String(sentMs).padStart(16, '0')}-${id}`;
      const change = rows.put(key, message);
      arriving.set(change.key, message);
      keys.add(key);
      const old = [...keys].toSorted().slice(0, Math.max(0, keys.size - limits.inboxMessagesMax));
      for (const one of old) keys.delete(one);
      return [change, ...old.map((one) => rows.remove(one))];
    },
    committed: (changes) => {
      for (const { key } of changes) {
        const message = arriving.get(key);
        if (message === undefined) continue;
        arriving.delete(key);
        events.emit({ type: 'group-message-received', message });
      }
    },
  };
}
