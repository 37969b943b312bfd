import {
  type Clock,
  type Logger,
  type Network,
  callMethod,
  PeerAiError,
  type PeerId,
  serveMethod,
  type Store,
  toHex,
  type Change,
} from '@peerai/core-protocol';
import type { PeerMessenger } from '../messenger.ts';
import { collect, under } from '../rows.ts';
import type { DeliveryState } from '../rows.ts';
import { createBook, type Book, type Entry } from './book.ts';
import { type IntakeDeps, takeLetter } from './intake.ts';
import { groupKind, writeContent } from './letters.ts';
import { limits } from './limits.ts';
import { checkName, type CommitChange, createMls, epochOf, factsOf, type Mls, membersOf } from './mls.ts';
import { openPost, type Post } from './post.ts';
import { keyPackageMethod } from './protocol.ts';
import { keysCodec, keysKey, messageId, type OutRow, sentCodec, sentKey } from './rows.ts';
import type { SuiteDeps } from './suite.ts';

export interface GroupsDeps extends SuiteDeps {
  /** A room of its own; `take`'s changes may be of any room of the same file. */
  readonly store: Store;
  /** Before it is started. */
  readonly messenger: PeerMessenger;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The changes returned are committed together with the group's new secrets: each message is handled once. */
  readonly take: IntakeDeps['take'];
  /** May this peer add us to its groups? Without it every peer may that our owner lets in at all. */
  readonly mayAdd?: IntakeDeps['mayAdd'];
  /** A group came, changed or is gone; `undefined`: gone. */
  readonly changed?: (id: string, group: GroupView | undefined) => void;
}
export interface GroupView {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  /** The one member that adds and removes. */
  readonly committer: PeerId;
  readonly members: readonly PeerId[];
  /** Rises with each change of members or keys. */
  readonly epoch: number;
}
/** Where a message stands with each member; `unknown`: it was so long ago that the messenger forgot. */
export interface GroupReport {
  readonly id: string;
  readonly group: string;
  readonly members: readonly {
    readonly peer: PeerId;
    readonly state: DeliveryState | 'unknown';
    readonly code?: string;
  }[];
}
/** Every method throws GROUP_UNKNOWN where there is no such group, NOT_COMMITTER where only the committer may, and what the store throws. */
export interface Groups {
  start(signal: AbortSignal): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
  /** A new group with oneself in it. Throws LIMIT_EXCEEDED (the name), LIMIT_REACHED. */
  create(name: string): Promise<GroupView>;
  /** All of them in one step, or none. Throws PEER_UNREACHABLE, REFUSED (a peer does not let us), LIMIT_REACHED (members), ALREADY_MEMBER. */
  add(id: string, peers: readonly PeerId[], signal: AbortSignal): Promise<GroupView>;
  /** Throws NOT_MEMBER. */
  remove(id: string, peer: PeerId): Promise<GroupView>;
  /** Our keys of it are gone when this resolves; the committer hands its part to the member that came next. */
  leave(id: string): Promise<void>;
  /** New keys for everybody, by the committer: what leaked before opens nothing that comes after. */
  renew(id: string): Promise<GroupView>;
  list(): Promise<readonly GroupView[]>;
  /** To every other member, durable when it resolves; returns the message's id. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
  send(id: string, kind: string, payload: unknown): Promise<string>;
  report(message: string): Promise<GroupReport | undefined>;
}

/** Groups whose messages only members read: MLS (RFC 9420) by ts-mls, carried by the messenger to each member. */
export async function openGroups(deps: GroupsDeps): Promise<Groups> {
  const { store, messenger, network, clock, logger, identity } = deps;
  const self = identity.peer;
  const mls = createMls(deps);
  const book = createBook(store, mls);
  const post = await openPost(deps);
  const parts: Parts = { deps, self, mls, book, post };
  const mayAdd = deps.mayAdd ?? (() => true);
  const changed = (id: string): void => {
    void book
      .get(id)
      .then((entry) => deps.changed?.(id, entry && viewOf(id, entry)))
      .catch((error: unknown) =>
        logger.warn('group-unread', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' }),
      );
  };
  const intake: IntakeDeps = { self, store, clock, logger, mls, book, post, take: deps.take, mayAdd, changed };
  let ending: AbortController | undefined;
  let serving: Disposable[] = [];
  const change = (id: string, change: CommitChange): Promise<GroupView> =>
    book.inTurn(id, async () => viewOf(id, await commitChange(parts, id, change)));
  return {
    start: async (signal) => {
      if (ending !== undefined) return;
      ending = new AbortController();
      const both = AbortSignal.any([signal, ending.signal]);
      await book.sweep(clock.nowMs());
      serving = [
        messenger.handle(groupKind, async (message, by) => {
          await takeLetter(intake, message, by);
          return [];
        }),
        serveMethod(network, keyPackageMethod, async (_, { peer }) => handOut(parts, mayAdd, peer), { clock }),
      ];
      await post.start(both);
    },
    stop: async () => {
      ending?.abort();
      ending = undefined;
      for (const one of serving.splice(0)) one[Symbol.dispose]();
      await post.idle();
    },
    create: async (name) => {
      checkName(name);
      const bytes = deps.random.bytes(16);
      const id = toHex(bytes);
      const state = await mls.found(bytes, { name, committer: self });
      const entry: Entry = { state, sent: 0, taken: new Map(), leaving: new Set() };
      if ((await book.ids()).length >= limits.groupsMax) {
        throw new PeerAiError('LIMIT_REACHED', `a peer is in at most ${limits.groupsMax} groups`);
      }
      await book.write(id, entry, []);
      return viewOf(id, entry);
    },
    add: async (id, peers, signal) => {
      checkRoom(await mustCommit(parts, id), peers);
      const add = await Promise.all(
        peers.map(async (peer) => {
          const { keyPackage } = await callMethod({ network, clock }, peer, keyPackageMethod, {}, { signal });
          return { peer, keyPackage };
        }),
      );
      return change(id, { add });
    },
    remove: async (id, peer) => change(id, { remove: [peer] }),
    renew: async (id) => change(id, {}),
    leave: (id) => book.inTurn(id, () => leave(parts, id)),
    list: async () => {
      const views: GroupView[] = [];
      for (const id of await book.ids()) {
        const entry = await book.get(id);
        if (entry !== undefined) views.push(viewOf(id, entry));
      }
      return views;
    },
    send: (id, kind, payload) => book.inTurn(id, () => send(parts, id, kind, payload)),
    report: (message) => report(parts, message),
  };
}

interface Parts {
  readonly deps: GroupsDeps;
  readonly self: PeerId;
  readonly mls: Mls;
  readonly book: Book;
  readonly post: Post;
}

const viewOf = (id: string, { state }: Entry): GroupView => ({
  id,
  ...factsOf(state),
  members: membersOf(state),
  epoch: Number(epochOf(state)),
});

async function must({ book }: Parts, id: string): Promise<Entry> {
  const entry = /^[0-9a-f]{32}$/u.test(id) ? await book.get(id) : undefined;
  if (entry === undefined) throw new PeerAiError('GROUP_UNKNOWN', 'there is no such group here');
  return entry;
}

async function mustCommit(parts: Parts, id: string): Promise<Entry> {
  const entry = await must(parts, id);
  const { committer } = factsOf(entry.state);
  if (committer !== parts.self) {
    throw new PeerAiError('NOT_COMMITTER', 'another member adds and removes in this group', { committer });
  }
  return entry;
}

const to = (parts: Parts, entry: Entry): readonly PeerId[] =>
  membersOf(entry.state).filter((peer) => peer !== parts.self);

function checkRoom({ state }: Entry, added: readonly PeerId[]): void {
  const members = new Set(membersOf(state));
  for (const peer of added) {
    if (members.has(peer)) throw new PeerAiError('ALREADY_MEMBER', 'the peer is in this group');
    members.add(peer);
  }
  if (members.size > limits.membersMax) {
    throw new PeerAiError('LIMIT_REACHED', `a group has at most ${limits.membersMax} members`);
  }
}

async function commitChange(parts: Parts, id: string, change: CommitChange): Promise<Entry> {
  const { book, mls, post } = parts;
  const before = await mustCommit(parts, id);
  const members = membersOf(before.state);
  if (change.remove?.some((peer) => !members.includes(peer) || peer === parts.self) === true) {
    throw new PeerAiError('NOT_MEMBER', 'no other member is this peer');
  }
  const added = (change.add ?? []).map(({ peer }) => peer);
  checkRoom(before, added);
  const made = await mls.commit(before.state, change);
  const rows: OutRow[] = [row(id, before.sent, 'mls', made.commit, to(parts, before))];
  if (made.welcome !== undefined) rows.push(row(id, before.sent + 1, 'welcome', made.welcome, added));
  const gone = new Set(change.remove);
  const taken = new Map([...before.taken].filter(([peer]) => !gone.has(peer)));
  const entry = { ...before, state: made.state, sent: before.sent + rows.length, taken };
  await book.write(
    id,
    entry,
    rows.map((one) => post.put(one)),
  );
  post.kick();
  return entry;
}

const row = (
  group: string,
  place: number,
  type: OutRow['type'],
  data: Uint8Array,
  members: readonly PeerId[],
  message?: string,
): OutRow => ({ group, place, type, data, to: members, message });

async function leave(parts: Parts, id: string): Promise<void> {
  const { book, mls, post, self } = parts;
  const entry = await must(parts, id);
  const others = to(parts, entry);
  const changes: Change[] = [];
  let { sent } = entry;
  const [next] = others;
  if (next !== undefined && factsOf(entry.state).committer === self) {
    const made = await mls.commit(entry.state, { committer: next });
    changes.push(post.put(row(id, sent, 'mls', made.commit, others)));
    sent += 1;
  }
  // To all of them: whoever is the committer when it arrives acts on it, the others remember it.
  if (next !== undefined) changes.push(post.put(row(id, sent, 'leave', new Uint8Array(), others)));
  await book.write(id, undefined, changes);
  post.kick();
  parts.deps.changed?.(id, undefined);
}

async function send(parts: Parts, id: string, kind: string, payload: unknown): Promise<string> {
  const { deps, book, mls, post, self } = parts;
  const entry = await must(parts, id);
  const message = messageId(post.nextPlace(), toHex(deps.random.bytes(9)));
  const sentMs = deps.clock.nowMs();
  const sealed = await mls.seal(entry.state, writeContent({ from: self, id: message, kind, sentMs, payload }));
  const members = to(parts, entry);
  const report = { group: id, atMs: sentMs, to: members.map((peer) => ({ peer, letter: undefined, code: undefined })) };
  await book.write(id, { ...entry, state: sealed.state, sent: entry.sent + 1 }, [
    post.put(row(id, entry.sent, 'mls', sealed.message, members, message)),
    deps.store.put(sentKey(message), sentCodec.encode(report)),
    ...(await oldReports(deps.store)),
  ]);
  post.kick();
  return message;
}

/** Room for one more report. */
async function oldReports(store: Store): Promise<readonly Change[]> {
  const rows = await collect(store.range(...under('sent')));
  return rows.slice(0, Math.max(0, rows.length + 1 - limits.reportsKept)).map(({ key }) => store.put(key));
}

async function report({ deps }: Parts, message: string): Promise<GroupReport | undefined> {
  const bytes = /^[0-9a-f]{32}$/u.test(message) ? await deps.store.get(sentKey(message)) : undefined;
  if (bytes === undefined) return undefined;
  const { group, to: sentTo } = sentCodec.decode(bytes);
  const members = await Promise.all(
    sentTo.map(async ({ peer, letter, code }) => {
      const known = { peer: peer as PeerId };
      if (code !== undefined) return { ...known, state: 'refused' as const, code };
      if (letter === undefined) return { ...known, state: 'queued' as const };
      const status = await deps.messenger.status(letter);
      if (status === undefined) return { ...known, state: 'unknown' as const };
      return { ...known, state: status.state, ...(status.code === undefined ? {} : { code: status.code }) };
    }),
  );
  return { id: message, group, members };
}

/** A fresh key package, kept until it is used; the oldest that this peer asked for are forgotten. */
async function handOut(
  { deps, mls }: Parts,
  mayAdd: (peer: PeerId) => boolean,
  peer: PeerId,
): Promise<{ readonly keyPackage: Uint8Array }> {
  if (!mayAdd(peer)) throw new PeerAiError('REFUSED', 'this peer may not add us to its groups');
  const { store, clock } = deps;
  const { ref, message, secrets } = await mls.keyPackage();
  const kept = (await collect(store.range(...under(`keys/${peer}`)))).map(
    ({ key, value }) => [key, keysCodec.decode(value).atMs] as const,
  );
  kept.sort(([, a], [, b]) => a - b);
  const old = kept.slice(0, Math.max(0, kept.length + 1 - limits.keyPackagesPerPeerMax));
  const value = keysCodec.encode({ message, ...secrets, atMs: clock.nowMs() });
  await store.commit([store.put(keysKey(peer, toHex(ref)), value), ...old.map(([key]) => store.put(key))]);
  return { keyPackage: message };
}
