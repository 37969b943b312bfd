import {
  callMethod,
  type Change,
  type Opened,
  PeerAiError,
  type PeerId,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import { collect, under } from '../rows.ts';
import { type Book, createBook, type Entry } from './book.ts';
import type { GroupReport, Groups, GroupsDeps, GroupView } from './groups.ts';
import { type IntakeDeps, takeLetter } from './intake.ts';
import { writeContent } from './letters.ts';
import { limits } from './limits.ts';
import { checkName, type CommitChange, createMls, epochOf, factsOf, type Mls, membersOf } from './mls.ts';
import { openPost, type Post } from './post.ts';
import { keyPackageMethod } from './protocol.ts';
import { keysCodec, keysKey, messageId, type OutRow, sentCodec, sentKey } from './rows.ts';

/** What stands behind groups once there is one. */
export interface Engine extends Omit<Groups, 'stop'> {
  takeLetter(message: Opened, signal: AbortSignal): Promise<void>;
  handOut(peer: PeerId): Promise<{ readonly keyPackage: Uint8Array }>;
  idle(): Promise<void>;
}

export async function openEngine(deps: GroupsDeps, mayAdd: IntakeDeps['mayAdd']): Promise<Engine> {
  const { store, network, clock, logger, identity } = deps;
  const self = identity.peer;
  const mls = createMls(deps);
  const book = createBook(store, mls);
  const post = await openPost(deps);
  const parts: Parts = { deps, self, mls, book, post };
  const changed = (id: string): void => {
    void book
      .get(id)
      .then((entry) => deps.changed?.(id, entry && viewOf(id, entry)))
      .catch((error: unknown) =>
        logger.warn('group-unread', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' }),
      );
  };
  const intake: IntakeDeps = { self, store, clock, logger, mls, book, post, take: deps.take, mayAdd, changed };
  const change = (id: string, change: CommitChange): Promise<GroupView> =>
    book.inTurn(id, async () => viewOf(id, await commitChange(parts, id, change)));
  return {
    start: async (signal) => {
      await book.sweep(clock.nowMs());
      await post.start(signal);
    },
    idle: () => post.idle(),
    takeLetter: (message, by) => takeLetter(intake, message, by),
    handOut: (peer) => handOut(parts, peer),
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
async function handOut({ deps, mls }: Parts, peer: PeerId): Promise<{ readonly keyPackage: Uint8Array }> {
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
