import { type Clock, type Logger, type Network, type PeerId } from '@peerai/core-protocol';
import type { CryptoProvider, Identity, Random, Store } from '@peerai/core-protocol';
import type { PeerMessenger } from '@peerai/messaging';
import { type DocumentView as Document, openStates } from '@peerai/messaging/state';
import type { EventHub } from '../events/hub.ts';
import type { Groups } from '../groups/groups.ts';
import { type Devices, mayUse } from '../pairing/devices.ts';
import { findNamed } from '../store/find-named.ts';
import type { DocumentChange, DocumentContents, DocumentRequest, DocumentView } from './state.schema.ts';

export interface StateDeps {
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
  readonly groups: Pick<Groups, 'list' | 'get'>;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
}

/**
 * Documents that this peer and others write at the same time: keys with JSON values and one text each. A document is named by its id, by the beginning of
 * it (8 digits or more), or by its name where one document alone has it; every method throws DOCUMENT_UNKNOWN.
 */
export interface State {
  list(): Promise<readonly DocumentView[]>;
  /** Throws DEVICE_UNKNOWN, GROUP_UNKNOWN, LIMIT_REACHED, LIMIT_EXCEEDED. */
  create(request: DocumentRequest): Promise<DocumentView>;
  read(text: string): Promise<DocumentContents>;
  /** Each set, removal and text is a change of its own. Throws INVALID_FORMAT, LIMIT_EXCEEDED, LIMIT_REACHED; what stood before is done then. */
  change(text: string, change: DocumentChange): Promise<DocumentContents>;
  /** Throws DEVICE_UNKNOWN, REFUSED (not its founder, or a group's), LIMIT_REACHED. */
  share(text: string, peers: readonly string[]): Promise<DocumentView>;
  /** It keeps what it has. Throws DEVICE_UNKNOWN, REFUSED. */
  unshare(text: string, peer: string): Promise<DocumentView>;
  /** Gone here, for good; the others keep theirs. */
  forget(text: string): Promise<void>;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export function openState(deps: StateDeps): State {
  const { devices, groups, events, identity, nameOf } = deps;
  const mayShare = (peer: PeerId): boolean => mayUse(devices, peer, 'chat');
  const states = openStates({
    ...deps,
    store: deps.store.room('state'),
    mayShare,
    groupMembers: async (id) => {
      const group = (await groups.list()).find((one) => one.id === id);
      return group?.members.map(({ peerId }) => peerId as PeerId);
    },
    changed: (id, { keys, text }) =>
      events.emit({ type: 'state-changed', documentId: id, keys: keys.slice(0, keysToldMax), text }),
  });
  const view = ({ id, name, founder, group, members, keys, textChars, bytes }: Document): DocumentView => ({
    id,
    name,
    founder,
    founderName: nameOf(founder),
    mine: founder === identity.peer,
    group: group ?? null,
    members: members.map((peer) => ({ peerId: peer, name: nameOf(peer) })),
    keys,
    textChars,
    bytes,
  });
  const find = async (text: string): Promise<Document> =>
    findNamed(await states.list(), text, { code: 'DOCUMENT_UNKNOWN', what: 'document' });
  const read = async (text: string): Promise<DocumentContents> => {
    const document = await find(text);
    const [values, written] = [await states.values(document.id), await states.text(document.id)];
    return { v: 1, document: view(document), values, text: written };
  };
  /** A group's new members have its documents at once, not with the next change. */
  const watchGroups = async (signal: AbortSignal): Promise<void> => {
    for await (const { event } of events.subscribe(signal)) if (event.type === 'group-changed') await states.offer();
  };
  return {
    read,
    list: async () => (await states.list()).map(view),
    create: async ({ name, members = [], group }) => {
      const peers = members.map((peer) => devices.find(peer).peer);
      const id = group === undefined ? undefined : (await groups.get(group)).id;
      return view(await states.create(name, id === undefined ? { members: peers } : { group: id }));
    },
    change: async (text, { set = {}, remove = [], text: written }) => {
      const { id } = await find(text);
      for (const [key, value] of Object.entries(set)) await states.set(id, key, value);
      for (const key of remove) await states.remove(id, key);
      if (written !== undefined) await states.write(id, written);
      return read(id);
    },
    share: async (text, peers) =>
      view(
        await states.share(
          (await find(text)).id,
          peers.map((peer) => devices.find(peer).peer),
        ),
      ),
    unshare: async (text, peer) => {
      const document = await find(text);
      const member = document.members.find((one) => one === peer || nameOf(one) === peer) ?? devices.find(peer).peer;
      return view(await states.unshare(document.id, member));
    },
    forget: async (text) => states.forget((await find(text)).id),
    start: async (signal) => {
      await states.start(signal);
      void watchGroups(signal).catch((error: unknown) =>
        deps.logger.error('task-failed', { error: error instanceof Error ? error.message : 'unknown' }),
      );
    },
    stop: () => states.stop(),
  };
}

/** Keys named in one event; who watches reads the document. */
const keysToldMax = 64;
