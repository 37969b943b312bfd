import type { Change, EntryBody, Ledger, PeerId, Shelf, Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { records } from '../store/records.ts';
import type { Terms } from './plan.ts';
import type { PrivacyState } from './privacy.ts';
import type { StageRow } from './stage-terms.ts';
import type { HeldOut, TrainingDataView } from './training.schema.ts';

/** A run as kept on disk; its data, state and model lie on the shelf. */
export interface RunHead {
  /** SHA-256 of the terms, hex. */
  readonly id: string;
  readonly role: 'started' | 'joined';
  readonly by: PeerId;
  readonly state: 'waiting' | 'training' | 'done' | 'stopped' | 'failed';
  /** The plan's own text: its bytes are hashed. */
  readonly plan: string;
  readonly name: string;
  /** The terms' bytes, hex, and as people read them. */
  readonly termsHex: string;
  readonly terms: Terms;
  readonly parameters: number;
  readonly round: number;
  readonly coordinator?: PeerId;
  readonly members: readonly PeerId[];
  readonly received: number;
  readonly needed: number;
  readonly dataId: string;
  readonly data: { readonly name: string; readonly bytes: number; readonly examples: number; readonly heldOut: number };
  readonly threads: number;
  /** Who may take part in a private run. */
  readonly invited?: readonly PeerId[];
  readonly privacy?: PrivacyState;
  /** Of a run in stages. */
  readonly stages?: readonly StageRow[];
  readonly first?: HeldOut;
  readonly now?: HeldOut;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly sent: number;
  readonly receivedBytes: number;
  readonly hash: string;
  readonly file?: { readonly sha256: string; readonly bytes: number };
  readonly code?: string;
  readonly message?: string;
}
/** A round that closed, as kept. */
export interface RoundRow {
  readonly round: number;
  readonly atMs: number;
  readonly loss: number | null;
  readonly before?: HeldOut;
  readonly after?: HeldOut;
  readonly members: readonly { readonly peer: PeerId; readonly loss: number | null }[];
  readonly refused: readonly { readonly peer: PeerId; readonly reason: string }[];
  readonly hash: string;
  /** This peer's own log says it too: both came to the disk in one commit. Absent in rows of before logs said it. */
  readonly stated?: true;
}
/** Entries of the log, with changes that are to come to the disk with them. */
export interface Statement {
  readonly entries: readonly EntryBody[];
  readonly alongside: readonly Change[];
}
/** A round with what this peer's log is to say of it, if it does not say it yet. */
export interface StatedRound {
  readonly row: RoundRow;
  readonly statement: Statement | undefined;
}
/** `sha256` of its bytes, hex; absent in rows of before budgets were kept. */
export type DataRow = TrainingDataView & { readonly madeMs: number; readonly sha256?: string };

export const isEnded = ({ state }: Pick<RunHead, 'state'>): boolean =>
  state === 'done' || state === 'stopped' || state === 'failed';

/** Runs that are over and more than `trainingRunsKept` go, the oldest first. */
export async function forgetOldest(book: Pick<RunBook, 'runs' | 'remove'>): Promise<void> {
  const over = book.runs().filter(isEnded);
  for (const { id } of over.slice(0, Math.max(0, over.length - limits.trainingRunsKept))) await book.remove(id);
}

/** Names on the shelf. */
export const places = {
  data: (id: string) => `training/data/${id}`,
  state: (id: string) => `training/${id}/state`,
  model: (id: string) => `training/${id}/model.onnx`,
  bases: 'training/bases',
  base: (sha256: string) => `training/bases/${sha256}`,
  shard: (link: string, place: number) => `training/links/${link}/${place}`,
};

/** Runs and data of one peer: heads in memory, all on disk. */
export interface RunBook {
  /** Oldest first. */
  runs(): readonly RunHead[];
  run(id: string): RunHead | undefined;
  /** In memory at once, on disk when it resolves. */
  save(head: RunHead, rounds?: readonly StatedRound[]): Promise<void>;
  /** In memory alone. */
  note(head: RunHead): void;
  rounds(id: string): Promise<readonly RoundRow[]>;
  /** States from which this peer's update was unmasked in a private run, hex. */
  unmasked(id: string): Promise<readonly string[]>;
  /** On the disk when it resolves. */
  noteUnmasked(id: string, base: string): Promise<void>;
  remove(id: string): Promise<void>;
  data(): readonly DataRow[];
  saveData(row: DataRow): Promise<void>;
  removeData(id: string): Promise<void>;
}

export interface RunBookDeps {
  readonly store: Store;
  readonly shelf?: Shelf | undefined;
  readonly ledger: Pick<Ledger, 'append'>;
}

export async function openRunBook({ store, shelf, ledger }: RunBookDeps): Promise<RunBook> {
  const room = store.room('training');
  const [heads, sets] = [records<RunHead>(room, 'run'), records<DataRow>(room, 'data')];
  const rowsOf = (id: string) => records<RoundRow>(room, `round/${id}`);
  const basesOf = (id: string) => records<true>(room, `unmasked/${id}`);
  const [runs, data] = [new Map<string, RunHead>(), new Map<string, DataRow>()];
  for await (const [id, head] of heads.all()) runs.set(id, head);
  for await (const [id, row] of sets.all()) data.set(id, row);
  return {
    runs: () => [...runs.values()].toSorted((a, b) => a.startedMs - b.startedMs),
    run: (id) => runs.get(id),
    async save(head, rounds = []) {
      runs.set(head.id, head);
      const kept = rowsOf(head.id);
      const changes = [heads.put(head.id, head)];
      for (const { row, statement } of rounds) {
        const key = `${row.round}`.padStart(6, '0');
        const before = statement === undefined ? undefined : await kept.get(key);
        // After kill -9 the same result may come again.
        const isStated = before?.stated === true && before.hash === row.hash;
        if (statement === undefined || isStated) changes.push(kept.put(key, row));
        else await ledger.append(statement.entries, [...statement.alongside, kept.put(key, row)]);
      }
      await room.commit(changes);
    },
    note: (head) => void runs.set(head.id, head),
    async rounds(id) {
      const rows: RoundRow[] = [];
      for await (const [, row] of rowsOf(id).all()) rows.push(row);
      return rows;
    },
    async unmasked(id) {
      const bases: string[] = [];
      for await (const [base] of basesOf(id).all()) bases.push(base);
      return bases;
    },
    noteUnmasked: (id, base) => room.commit([basesOf(id).put(base, true)]),
    async remove(id) {
      runs.delete(id);
      const changes: Change[] = [heads.remove(id)];
      for (const rows of [rowsOf(id), basesOf(id)])
        for await (const [key] of rows.all()) changes.push(rows.remove(key));
      await room.commit(changes);
      for (const name of [places.state(id), places.model(id)]) await shelf?.remove(name);
    },
    data: () => [...data.values()].toSorted((a, b) => a.madeMs - b.madeMs),
    async saveData(row) {
      data.set(row.id, row);
      await room.commit([sets.put(row.id, row)]);
    },
    async removeData(id) {
      data.delete(id);
      await room.commit([sets.remove(id)]);
      await shelf?.remove(places.data(id));
    },
  };
}

/** The whole file, which is known to be small. Throws NOT_FOUND. */
export const readWhole = (shelf: Shelf, name: string, bytesMax: number): Promise<Uint8Array> =>
  shelf.read(name, 0, bytesMax);

/** Takes the place of what is there only when it is on the disk whole. */
export async function replaceFile(
  shelf: Pick<Shelf, 'write' | 'move' | 'remove'>,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const next = `${name}.next`;
  await shelf.remove(next);
  await shelf.write(next, 0, bytes);
  await shelf.move(next, name);
}
