import { type Change, fromUtf8, type PeerId, type Store, utf8 } from '@peerai/core-protocol';
import { collect, under } from '../rows.ts';
import { fileLimits } from './limits.ts';

export type FileState = 'moving' | 'done' | 'refused' | 'expired' | 'cancelled' | 'removed';
/** One file, on its way or over. */
export interface FileRecord {
  /** 32 hex digits, ours: how people name it. */
  readonly id: string;
  readonly direction: 'in' | 'out';
  readonly peer: PeerId;
  /** The sender's id for it, 32 hex digits. */
  readonly transfer: string;
  readonly name: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** `done`: it is whole at the receiver. `removed`: it was, and its bytes are gone here. */
  readonly state: FileState;
  readonly code?: string;
  /** What carried its last piece. */
  readonly way?: 'link' | 'http';
  readonly startedMs: number;
  /** Of the last piece. */
  readonly touchedMs: number;
  readonly endedMs?: number;
  /** Bytes the receiver has. */
  readonly moved: number;
  /** In: a bit for each piece that is here, hex. */
  readonly held?: string;
  /** In: it was fetched anew because the first whole was not what was announced. */
  readonly again?: boolean;
  /** In: its name on the shelf. */
  readonly kept?: string;
  /** Out: the receiver knows that it was cancelled. */
  readonly told?: boolean;
}

/** Every file this peer knows of, in memory and on disk. */
export interface FileBook {
  all(): readonly FileRecord[];
  get(id: string): FileRecord | undefined;
  find(direction: FileRecord['direction'], peer: PeerId, transfer: string): FileRecord | undefined;
  /** Commits it, alone or with other changes, then it is so here too; what is remembered too long goes in the same commit. `onDisk` runs between the two: who reads the record here finds done what it says. */
  put(record: FileRecord, changes?: readonly Change[], onDisk?: () => Promise<void>): Promise<void>;
  /** How far it is, in memory alone: what a crash takes of that is asked again. */
  note(record: FileRecord): void;
}

const keyOf = ({ id }: Pick<FileRecord, 'id'>): string => `file/${id}`;
const nameOf = (direction: string, peer: string, transfer: string): string => `${direction} ${peer} ${transfer}`;
/** Neither on its way nor with bytes here. */
const isMemory = ({ state, direction }: FileRecord): boolean =>
  state !== 'moving' && !(direction === 'in' && state === 'done');

/** Throws what the store throws. */
export async function openFileBook(store: Store): Promise<FileBook> {
  const records = new Map<string, FileRecord>();
  const names = new Map<string, string>();
  const remember = (record: FileRecord): void => {
    records.set(record.id, record);
    names.set(nameOf(record.direction, record.peer, record.transfer), record.id);
  };
  for (const { value } of await collect(store.range(...under('file')))) {
    remember(JSON.parse(fromUtf8(value)) as FileRecord);
  }
  const tooOld = (record: FileRecord): readonly FileRecord[] => {
    const others = [...records.values()].filter(
      (one) => one.id !== record.id && one.direction === record.direction && isMemory(one),
    );
    const byAge = others.toSorted((a, b) => (a.endedMs ?? 0) - (b.endedMs ?? 0));
    const over = byAge.length + (isMemory(record) ? 1 : 0) - fileLimits.rememberedMax;
    return byAge.filter((one, place) => place < over || (one.endedMs ?? 0) + fileLimits.rememberMs < record.touchedMs);
  };
  return {
    all: () => [...records.values()],
    get: (id) => records.get(id),
    find(direction, peer, transfer) {
      const id = names.get(nameOf(direction, peer, transfer));
      return id === undefined ? undefined : records.get(id);
    },
    async put(record, changes = [], onDisk = async () => undefined) {
      // Only where one more comes or ends: a piece on its way changes nothing of that.
      const old = records.get(record.id)?.state === record.state ? [] : tooOld(record);
      const row = store.put(keyOf(record), utf8(JSON.stringify(record)));
      await store.commit([row, ...old.map((one) => store.put(keyOf(one))), ...changes]);
      for (const one of old) {
        records.delete(one.id);
        names.delete(nameOf(one.direction, one.peer, one.transfer));
      }
      // What the disk has decided is so, even where the rest of it fails.
      await onDisk().finally(() => remember(record));
    },
    note: remember,
  };
}
