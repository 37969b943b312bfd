import {
  type Change,
  type Clock,
  type Logger,
  type Opened,
  PeerAiError,
  type PeerId,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import { collect, under } from '../rows.ts';
import type { Book, Entry, Letter } from './book.ts';
import { type GroupLetter, readContent, readLetter } from './letters.ts';
import { limits } from './limits.ts';
import { epochOf, factsOf, groupId, type GroupState, headOf, type Mls, membersOf } from './mls.ts';
import type { Post } from './post.ts';
import { keysCodec, keysKey, type OutRow } from './rows.ts';

/** A message of a group as its members get it: once, in each sender's order. */
export interface GroupMessage {
  readonly group: string;
  readonly groupName: string;
  readonly id: string;
  readonly sender: PeerId;
  readonly kind: string;
  readonly payload: unknown;
  readonly sentMs: number;
}
export interface IntakeDeps {
  readonly self: PeerId;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly mls: Mls;
  readonly book: Book;
  readonly post: Post;
  /**
   * The changes returned are committed together with the group's new secrets: handled once, also across a crash. It runs inside the group's turn, so it
   * must not wait for another call of the same group.
   */
  take(message: GroupMessage, signal: AbortSignal): Promise<readonly Change[]>;
  /** May this peer add us to its groups? */
  mayAdd(peer: PeerId): boolean;
  changed(group: string): void;
}

/** One letter of a member. Throws REFUSED and INVALID_FORMAT for good; what else it throws a later attempt may get past. */
export async function takeLetter(deps: IntakeDeps, { sender, payload }: Opened, signal: AbortSignal): Promise<void> {
  try {
    const letter = readLetter(payload);
    await deps.book.inTurn(letter.group, () => takeOne(deps, sender, letter, signal));
  } catch (cause) {
    // To a messenger this is a failure that passes; here it never does.
    if (!PeerAiError.is(cause, 'LIMIT_EXCEEDED')) throw cause;
    throw new PeerAiError('REFUSED', 'the letter of a group is over a limit', {}, { cause });
  }
}

async function takeOne(deps: IntakeDeps, sender: PeerId, letter: GroupLetter, signal: AbortSignal): Promise<void> {
  const { book } = deps;
  const { group, place, type, data } = letter;
  const entry = await book.get(group);
  if (type === 'welcome') return takeWelcome(deps, sender, letter, entry, signal);
  if (type === 'leave') return takeLeave(deps, sender, letter, entry);
  const head = headOf(data);
  if (toHex(head.group) !== group) throw new PeerAiError('INVALID_FORMAT', 'the letter names another group');
  // The welcome, or the change it was sealed after, is still on its way from another member.
  if (entry === undefined || head.epoch > epochOf(entry.state)) {
    return book.park(group, head.epoch, { sender, place, data }, deps.clock.nowMs());
  }
  if (place <= (entry.taken.get(sender) ?? -1)) return;
  await step(deps, group, entry, { sender, place, data }, signal);
}

/** What a step does to one group, until it is written as a whole. */
interface Draft {
  entry: Entry | undefined;
  readonly changes: Change[];
}

/** Takes a letter in, then what waited for the change that it was; the whole is one commit. */
async function step(
  deps: IntakeDeps,
  group: string,
  entry: Entry,
  letter: Letter | undefined,
  signal: AbortSignal,
): Promise<void> {
  const draft: Draft = { entry, changes: [] };
  if (letter !== undefined) await process(deps, group, draft, letter, signal);
  if (!isAt(draft, entry)) await takeParked(deps, group, draft, signal);
  await letOut(deps, group, draft);
  await deps.book.write(group, draft.entry, draft.changes);
  deps.post.kick();
  if (!isAt(draft, entry)) deps.changed(group);
}

const isAt = ({ entry }: Draft, before: Entry): boolean =>
  entry !== undefined && epochOf(entry.state) === epochOf(before.state);

async function takeParked(deps: IntakeDeps, group: string, draft: Draft, signal: AbortSignal): Promise<void> {
  let waiting = await deps.book.parked(group);
  for (;;) {
    const { entry } = draft;
    const next = entry && waiting.find(({ data }) => headOf(data).epoch <= epochOf(entry.state));
    if (next === undefined) return;
    waiting = waiting.filter((one) => one !== next);
    draft.changes.push(deps.store.put(next.key));
    try {
      await process(deps, group, draft, next, signal);
    } catch (error) {
      // Its sender was told that it is taken; it turned out to be unreadable.
      if (!PeerAiError.is(error, 'REFUSED', 'INVALID_FORMAT', 'LIMIT_EXCEEDED')) throw error;
      deps.logger.warn('group-letter-unreadable', { from: next.sender, code: error.code });
    }
  }
}

async function process(
  deps: IntakeDeps,
  group: string,
  draft: Draft,
  { sender, place, data }: Letter,
  signal: AbortSignal,
): Promise<void> {
  const { entry } = draft;
  if (entry === undefined || place <= (entry.taken.get(sender) ?? -1)) return;
  const { name } = factsOf(entry.state);
  const opened = await deps.mls.open(entry.state, data);
  const taken = new Map(entry.taken).set(sender, place);
  if (opened.kind === 'commit') {
    draft.entry = opened.isRemoved ? undefined : withoutGone({ ...entry, taken }, opened.state);
    return;
  }
  const { from, ...content } = readContent(opened.plain);
  // An old epoch's keys are kept for what was overtaken, not for those who were removed since.
  if (from !== sender || !membersOf(entry.state).includes(sender)) {
    throw new PeerAiError('REFUSED', 'the message is not of a member, or not its own');
  }
  draft.changes.push(...(await deps.take({ group, groupName: name, sender, ...content }, signal)));
  draft.entry = { ...entry, state: opened.state, taken };
}

/** Who is no longer in is forgotten: it counts its letters from 0 when it comes back. */
function withoutGone(entry: Entry, state: GroupState): Entry {
  const members = new Set(membersOf(state));
  return {
    ...entry,
    state,
    leaving: new Set([...entry.leaving].filter((peer) => members.has(peer))),
    taken: new Map([...entry.taken].filter(([peer]) => members.has(peer))),
  };
}

async function takeWelcome(
  deps: IntakeDeps,
  sender: PeerId,
  letter: GroupLetter,
  before: Entry | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { book, mls, self, store } = deps;
  if (before !== undefined && letter.place <= (before.taken.get(sender) ?? -1)) return;
  if (!deps.mayAdd(sender)) throw new PeerAiError('REFUSED', 'this peer may not add us to its groups');
  if (before === undefined && (await book.ids()).length >= limits.groupsMax) {
    throw new PeerAiError('REFUSED', `a peer is in at most ${limits.groupsMax} groups`);
  }
  const pair = await keysFor(store, sender, mls.welcomed(letter.data));
  const state = await mls.join(letter.data, pair);
  const isNewer = before === undefined || epochOf(state) > epochOf(before.state);
  const isTheirs = factsOf(state).committer === sender && membersOf(state).includes(self);
  const isSame = before === undefined || factsOf(before.state).committer === sender;
  if (toHex(groupId(state)) !== letter.group || !isNewer || !isTheirs || !isSame) {
    throw new PeerAiError('REFUSED', 'the welcome is not for this group, or not from its committer');
  }
  const entry: Entry = {
    state,
    sent: 0,
    taken: new Map([[sender, letter.place]]),
    leaving: new Set(),
  };
  const draft: Draft = { entry, changes: [store.put(pair.key)] };
  await takeParked(deps, letter.group, draft, signal);
  await book.write(letter.group, draft.entry, draft.changes);
  deps.changed(letter.group);
}

async function keysFor(store: Store, peer: PeerId, refs: readonly Uint8Array[]) {
  const wanted = new Set(refs.map((ref) => keysKey(peer, toHex(ref))));
  const row = (await collect(store.range(...under(`keys/${peer}`)))).find(({ key }) => wanted.has(key));
  if (row === undefined) throw new PeerAiError('REFUSED', 'the welcome is for a key that is not here, or was used');
  const { message, initPrivateKey, hpkePrivateKey } = keysCodec.decode(row.value);
  return { key: row.key, message, secrets: { initPrivateKey, hpkePrivateKey, signaturePrivateKey: new Uint8Array() } };
}

async function takeLeave(
  deps: IntakeDeps,
  sender: PeerId,
  { group, place }: GroupLetter,
  entry: Entry | undefined,
): Promise<void> {
  if (entry === undefined || !membersOf(entry.state).includes(sender)) {
    throw new PeerAiError('REFUSED', 'only a member of a group can leave it');
  }
  if (place <= (entry.taken.get(sender) ?? -1)) return;
  const taken = new Map(entry.taken).set(sender, place);
  const leaving = new Set([...entry.leaving, sender]);
  await step(deps, group, { ...entry, taken, leaving }, undefined, new AbortController().signal);
}

/** The committer lets out who asked for it; who becomes the committer, those its predecessor did not get to. */
async function letOut(deps: IntakeDeps, group: string, draft: Draft): Promise<void> {
  const { entry } = draft;
  if (entry === undefined || entry.leaving.size === 0 || factsOf(entry.state).committer !== deps.self) return;
  const before = membersOf(entry.state);
  const made = await deps.mls.commit(entry.state, { remove: [...entry.leaving] });
  const to = before.filter((peer) => peer !== deps.self && !entry.leaving.has(peer));
  const row: OutRow = { group, place: entry.sent, type: 'mls', data: made.commit, to, message: undefined };
  draft.changes.push(deps.post.put(row));
  draft.entry = { ...withoutGone(entry, made.state), sent: entry.sent + 1 };
}
