import {
  type Change,
  type Clock,
  fromUtf8,
  type MessagePriority,
  PeerAiError,
  type PeerId,
  type Row,
  type Store,
  utf8,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { createTurns } from '../turns.ts';
import {
  collect,
  type DeliveryPath,
  type DeliveryState,
  doneKey,
  firstRow,
  idKey,
  outBand,
  outCodec,
  outKey,
  outPlaceOf,
  type OutRow,
  placeOf,
  priorityOf,
  statusCodec,
  under,
} from '../rows.ts';

/** Where a message of ours stands. */
export interface DeliveryReport {
  readonly id: string;
  readonly to: PeerId;
  readonly kind: string;
  /** `refused`: the other side will never take it; `expired`: it waited too long. Both are final. */
  readonly state: DeliveryState;
  /** Why it was refused or expired; for a queued one why the last attempt failed, when there was one. */
  readonly code?: string;
  /** What carried it, once it is delivered or refused by the other side; `mailbox` while it is queued: a sealed copy waits for the peer there. */
  readonly path?: DeliveryPath;
  /** When it came into this state. */
  readonly atMs: number;
}
export interface Waiting extends OutRow {
  readonly key: string;
}
/** A letter in its line, and when a copy was left at a mailbox. */
export interface Queued extends Waiting {
  readonly leftMs?: number;
}
export interface Outcome {
  readonly state: Exclude<DeliveryState, 'queued'>;
  readonly code?: string;
  readonly path?: DeliveryPath;
}

/** Letters on disk, in order per peer, and what became of them. */
export interface Outbox {
  /** Throws LIMIT_REACHED. */
  add(to: PeerId, letter: OutRow, priority?: MessagePriority, alongside?: readonly Change[]): Promise<void>;
  /** The oldest letter for this peer of the highest priority, or one that has been overtaken often enough; the same until it is finished or a higher one comes. */
  next(to: PeerId): Promise<Waiting | undefined>;
  /** Those that would go behind this one, as they would, up to the first that does not fit. */
  following(
    to: PeerId,
    first: Waiting,
    countMax: number,
    fits: (letter: Waiting) => boolean,
  ): Promise<readonly Waiting[]>;
  /** Letters for this peer whose time is over. */
  expired(to: PeerId): Promise<readonly Waiting[]>;
  /** All letters for this peer, the highest priority first, each in its order. */
  line(to: PeerId): Promise<readonly Queued[]>;
  /** Remembers that a copy lies at a mailbox now; the letter itself waits on. */
  left(to: PeerId, letter: Waiting): Promise<void>;
  /** Takes a letter out, with its outcome in the same commit. `undefined` for one that was taken out before. */
  finish(to: PeerId, letter: Waiting, outcome: Outcome): Promise<DeliveryReport | undefined>;
  /** Puts all letters for one peer behind those for another, in their order. Throws LIMIT_REACHED; what was moved by then stays moved. */
  readdress(from: PeerId, to: PeerId): Promise<void>;
  /** Peers that letters wait for. */
  peers(): Promise<readonly PeerId[]>;
  /** Letters that wait, for all peers together. */
  size(): Promise<number>;
  status(id: string): Promise<DeliveryReport | undefined>;
  /** Newest first. */
  outcomes(limit: number): Promise<readonly DeliveryReport[]>;
}

interface Line {
  nextPlace: number;
  /** Letters that were finished since something waits. */
  turn: number;
  messages: number;
  bytes: number;
}

export function createOutbox({
  store,
  clock,
}: {
  readonly store: Store;
  readonly clock: Pick<Clock, 'nowMs'>;
}): Outbox {
  const lines = loadLines(store);
  const donePlace = firstRow(store, 'done', true).then((row) => ({
    next: row === undefined ? 0 : placeOf(row.key) + 1,
  }));
  // Whoever needs them hears of a failure; nobody may need them.
  lines.catch(() => undefined);
  donePlace.catch(() => undefined);
  /** What happens to one letter, one after the other: it may be confirmed while it is being brought. */
  const turns = createTurns();
  const waits = async ({ key, id }: Waiting): Promise<boolean> => {
    const value = await store.get(key);
    return value !== undefined && outCodec.decode(value).id === id;
  };
  type Standing = Outcome | { readonly state: 'queued'; readonly path?: DeliveryPath };
  const statusOf = (to: PeerId, { kind }: OutRow, outcome: Standing) => ({
    code: undefined,
    path: undefined,
    ...outcome,
    to,
    kind,
    atMs: clock.nowMs(),
  });
  const report = async (id: string): Promise<DeliveryReport | undefined> => {
    const value = await store.get(idKey(id));
    if (value === undefined) return undefined;
    const { to, code, path, ...rest } = statusCodec.decode(value);
    return {
      id,
      to: to as PeerId,
      ...rest,
      ...(code === undefined ? {} : { code }),
      ...(path === undefined ? {} : { path }),
    };
  };
  return {
    add: async (to, letter, priority, alongside = []) => {
      const line = reserve(await lines, to, sizeOf(letter));
      const place = line.nextPlace;
      line.nextPlace += 1;
      try {
        await store.commit([
          store.put(outKey(to, place, priority), outCodec.encode(letter)),
          store.put(idKey(letter.id), statusCodec.encode(statusOf(to, letter, { state: 'queued' }))),
          ...alongside,
        ]);
      } catch (error) {
        release(await lines, to, sizeOf(letter));
        throw error;
      }
    },
    next: async (to) => {
      for (const priority of orderOf((await lines).get(to)?.turn ?? 0)) {
        const [row] = await collect(store.range(...outBand(to, priority), { limit: 1 }));
        if (row !== undefined) return { key: row.key, ...outCodec.decode(row.value) };
      }
      return undefined;
    },
    following: async (to, first, countMax, fits) => {
      const turn = (await lines).get(to)?.turn ?? 0;
      /** Where each priority is looked at next. */
      const places = new Map<MessagePriority, number>();
      const found: Waiting[] = [];
      const after = async (priority: MessagePriority): Promise<Waiting | undefined> => {
        const from = outKey(to, places.get(priority) ?? 0, priority);
        for await (const { key, value } of store.range(from, outBand(to, priority)[1], { limit: 2 })) {
          places.set(priority, outPlaceOf(key) + 1);
          if (key !== first.key) return { key, ...outCodec.decode(value) };
        }
        return undefined;
      };
      while (found.length < countMax) {
        let next: Waiting | undefined;
        for (const priority of orderOf(turn + 1 + found.length))
          if ((next = await after(priority)) !== undefined) break;
        if (next === undefined || !fits(next)) break;
        found.push(next);
      }
      return found;
    },
    expired: async (to) => {
      const nowMs = clock.nowMs();
      const over: Waiting[] = [];
      for await (const { key, value } of store.range(...under(`out/${to}`))) {
        const letter = outCodec.decode(value);
        if (letter.expiresMs < nowMs) over.push({ key, ...letter });
      }
      return over;
    },
    line: async (to) => {
      const queued: Queued[] = [];
      for (const { key, value } of await byPriority(store, to)) {
        const letter = { key, ...outCodec.decode(value) };
        const status = await report(letter.id);
        queued.push(status?.path === 'mailbox' ? { ...letter, leftMs: status.atMs } : letter);
      }
      return queued;
    },
    left: (to, letter) =>
      turns.run(letter.id, async () => {
        if (!(await waits(letter))) return;
        const status = statusOf(to, letter, { state: 'queued', path: 'mailbox' });
        await store.commit([store.put(idKey(letter.id), statusCodec.encode(status))]);
      }),
    finish: (to, letter, outcome) =>
      turns.run(letter.id, async () => {
        if (!(await waits(letter))) return undefined;
        const place = (await donePlace).next;
        (await donePlace).next += 1;
        const status = statusOf(to, letter, outcome);
        await store.commit([
          store.put(letter.key),
          store.put(idKey(letter.id), statusCodec.encode(status)),
          store.put(doneKey(place), utf8(letter.id)),
          ...(await forgetOldest(store, place - limits.outcomesMax)),
        ]);
        release(await lines, to, sizeOf(letter));
        return { id: letter.id, to, kind: letter.kind, atMs: status.atMs, ...outcome };
      }),
    readdress: async (from, to) => {
      for (const { key, value } of await collect(store.range(...under(`out/${from}`)))) {
        const letter = { key, ...outCodec.decode(value) };
        await turns.run(letter.id, async () => {
          if (!(await waits(letter))) return;
          const line = reserve(await lines, to, sizeOf(letter));
          const place = line.nextPlace;
          line.nextPlace += 1;
          try {
            await store.commit([
              store.put(key),
              store.put(outKey(to, place, priorityOf(key)), value),
              store.put(idKey(letter.id), statusCodec.encode(statusOf(to, letter, { state: 'queued' }))),
            ]);
          } catch (error) {
            release(await lines, to, sizeOf(letter));
            throw error;
          }
          release(await lines, from, sizeOf(letter));
        });
      }
    },
    peers: async () => [...(await lines).keys()],
    size: async () => [...(await lines).values()].reduce((sum, { messages }) => sum + messages, 0),
    status: report,
    outcomes: async (limit) => {
      const rows = await collect(store.range(...under('done'), { limit, reverse: true }));
      const reports = await Promise.all(rows.map(({ value }) => report(fromUtf8(value))));
      return reports.filter((one) => one !== undefined);
    },
  };
}

const sizeOf = ({ content }: OutRow): number => utf8(content).length;

const emptyLine = (): Line => ({ nextPlace: 0, turn: 0, messages: 0, bytes: 0 });
const highestFirst: readonly MessagePriority[] = ['high', 'normal', 'low'];

/** Which priorities are looked at first: after `overtakesMax` turns of the highest, one of the next lower, then of the lowest. */
function orderOf(turn: number): readonly MessagePriority[] {
  const round = limits.overtakesMax + 1;
  if (turn % round < limits.overtakesMax) return highestFirst;
  return turn % (2 * round) < round ? ['normal', 'low', 'high'] : ['low', 'normal', 'high'];
}

async function byPriority(store: Store, to: PeerId): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const priority of highestFirst) rows.push(...(await collect(store.range(...outBand(to, priority)))));
  return rows;
}

async function loadLines(store: Store): Promise<Map<PeerId, Line>> {
  const lines = new Map<PeerId, Line>();
  for await (const { key, value } of store.range(...under('out'))) {
    const peer = key.split('/')[1] as PeerId;
    const line = lines.get(peer) ?? emptyLine();
    line.nextPlace = Math.max(line.nextPlace, outPlaceOf(key) + 1);
    line.messages += 1;
    line.bytes += sizeOf(outCodec.decode(value));
    lines.set(peer, line);
  }
  return lines;
}

function reserve(lines: Map<PeerId, Line>, to: PeerId, bytes: number): Line {
  const line = lines.get(to) ?? emptyLine();
  const full = (what: string): PeerAiError => new PeerAiError('LIMIT_REACHED', `the outbox is full: ${what}`, { to });
  if (!lines.has(to) && lines.size >= limits.outboxPeersMax) throw full(`messages wait for ${lines.size} peers`);
  if (line.messages >= limits.outboxMessagesPerPeerMax) throw full(`${line.messages} messages wait for this peer`);
  if (line.bytes + bytes > limits.outboxBytesPerPeerMax) throw full(`${line.bytes} bytes wait for this peer`);
  line.messages += 1;
  line.bytes += bytes;
  lines.set(to, line);
  return line;
}

function release(lines: Map<PeerId, Line>, to: PeerId, bytes: number): void {
  const line = lines.get(to);
  if (line === undefined) return;
  line.turn += 1;
  line.messages -= 1;
  line.bytes -= bytes;
  // Places go on from the highest only while something waits: an empty line starts again, its keys are free.
  if (line.messages === 0) lines.delete(to);
}

async function forgetOldest(store: Store, place: number): Promise<Change[]> {
  if (place < 0) return [];
  const id = await store.get(doneKey(place));
  return id === undefined ? [] : [store.put(doneKey(place)), store.put(idKey(fromUtf8(id)))];
}
