import { compareUtf8, utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { isAsExpected, storeChanged } from '../expected.ts';
import { limits } from '../limits.ts';
import type { Change, Key, Row, Store } from '../ports/index.ts';

interface File {
  /** Room path ('' is the root's) to its rows, kept in key order. */
  readonly rooms: Map<string, Row[]>;
  bytes: number;
  readonly bytesMax: number;
  brokenBy?: PeerAiError;
  failNext?: PeerAiError;
}

/** From one opening of a store to the next. */
interface Life {
  isOver: boolean;
}

/** The Store port in memory: the same order, rooms, atomic commits and snapshots, nothing on disk. */
export class MemoryStore implements Store {
  readonly #file: File;
  readonly #path: string;
  readonly #life: Life;

  /** @param options - `bytesMax`: keys and values held at most, then STORE_FULL. */
  constructor(options: { readonly bytesMax?: number } = {}, file?: File, path = '', life: Life = { isOver: false }) {
    this.#file = file ?? { rooms: new Map(), bytes: 0, bytesMax: options.bytesMax ?? Infinity };
    this.#path = path;
    this.#life = life;
  }

  async get(key: Key): Promise<Uint8Array | undefined> {
    const { rows, place, found } = find(this.#file, this.#path, checkKey(key));
    return found ? rows[place]?.value.slice() : undefined;
  }

  range(from: Key, to: Key, options: { readonly reverse?: boolean; readonly limit?: number } = {}): AsyncIterable<Row> {
    const { rows, place } = find(this.#file, this.#path, from);
    const end = find(this.#file, this.#path, to).place;
    const snapshot = rows.slice(place, Math.max(place, end));
    if (options.reverse) snapshot.reverse();
    return copies(snapshot.slice(0, options.limit));
  }

  put(key: Key, value?: Uint8Array): Change {
    checkKey(key);
    if (value !== undefined && value.length > limits.storeValueBytesMax) {
      throw new PeerAiError('LIMIT_EXCEEDED', `a value of ${value.length} bytes; at most ${limits.storeValueBytesMax}`);
    }
    return { key: this.#path + key, value };
  }

  async commit(changes: readonly Change[]): Promise<void> {
    const file = this.#file;
    if (this.#life.isOver) throw new PeerAiError('STORE_BROKEN', 'the store was opened again by another process');
    if (file.brokenBy !== undefined) throw file.brokenBy;
    if (file.failNext !== undefined) {
      const failure = file.failNext;
      delete file.failNext;
      if (failure.code === 'STORE_BROKEN') file.brokenBy = failure;
      throw failure;
    }
    if (!changes.every((change) => isAsExpected(change, valueOf(file, change.key)))) throw storeChanged();
    const last = new Map(changes.map((change) => [change.key, change.value]));
    const growth = [...last].reduce((sum, [key, value]) => sum + sizeChange(file, key, value), 0);
    if (growth > 0 && file.bytes + growth > file.bytesMax)
      throw new PeerAiError('STORE_FULL', 'the memory store is full');
    for (const [key, value] of last) apply(file, key, value);
    file.bytes += growth;
  }

  room(name: string): MemoryStore {
    checkKey(name);
    return new MemoryStore({}, this.#file, `${this.#path}${name}\0`, this.#life);
  }

  /** The next commit fails with this code; after STORE_BROKEN all do, until `reopen`. */
  failNextCommit(code: 'STORE_FULL' | 'STORE_BROKEN'): void {
    this.#file.failNext = new PeerAiError(code, 'a failure that the test asked for');
  }

  /** What a process finds after a restart: everything committed, nothing broken. What the dead one still tries to commit is refused. */
  reopen(): MemoryStore {
    this.#life.isOver = true;
    delete this.#file.brokenBy;
    return new MemoryStore({}, this.#file);
  }

  /** What a restart would find now, to look at beside the one that goes on. */
  copy(): MemoryStore {
    const rooms = new Map([...this.#file.rooms].map(([path, rows]) => [path, [...rows]]));
    return new MemoryStore({}, { ...this.#file, rooms });
  }
}

function checkKey(key: string): string {
  if (key.includes('\0') || !key.isWellFormed())
    throw new PeerAiError('INVALID_FORMAT', 'a key is Unicode text without NUL');
  if (utf8(key).length > limits.storeKeyBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a key has at most ${limits.storeKeyBytesMax} UTF-8 bytes`);
  }
  return key;
}

/** Where a key is, or would stand, in its room: binary search. */
function find(file: File, path: string, key: string): { rows: Row[]; place: number; found: boolean } {
  const rows = file.rooms.get(path) ?? [];
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareUtf8(rows[middle]?.key ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return { rows, place: low, found: rows[low]?.key === key };
}

function locate(file: File, fullKey: string): { path: string; key: string } & ReturnType<typeof find> {
  const cut = fullKey.lastIndexOf('\0') + 1;
  const [path, key] = [fullKey.slice(0, cut), fullKey.slice(cut)];
  return { path, key, ...find(file, path, key) };
}

function valueOf(file: File, fullKey: string): Uint8Array | undefined {
  const { rows, place, found } = locate(file, fullKey);
  return found ? rows[place]?.value : undefined;
}

function sizeChange(file: File, fullKey: string, value: Uint8Array | undefined): number {
  const { rows, place, found } = locate(file, fullKey);
  const keyBytes = utf8(fullKey).length;
  const before = found ? keyBytes + (rows[place]?.value.length ?? 0) : 0;
  return (value === undefined ? 0 : keyBytes + value.length) - before;
}

function apply(file: File, fullKey: string, value: Uint8Array | undefined): void {
  const { path, key, rows, place, found } = locate(file, fullKey);
  file.rooms.set(path, rows);
  rows.splice(place, found ? 1 : 0, ...(value === undefined ? [] : [{ key, value: value.slice() }]));
}

async function* copies(rows: readonly Row[]): AsyncIterable<Row> {
  for (const { key, value } of rows) yield { key, value: value.slice() };
}
