import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Clock, Row } from '@peerai/core-protocol';
import { PeerAiError } from '@peerai/core-protocol';
import { limits } from '../../limits.ts';
import { storeLimits } from './limits.ts';
import { keyText } from '../../store/row-key.ts';

interface Reader {
  readonly database: DatabaseSync;
  readonly get: StatementSync;
  readonly forward: StatementSync;
  readonly backward: StatementSync;
}
interface Snapshot {
  readonly reader: Reader;
  usedMs: number;
  lost: boolean;
}
type RawRow = { readonly key: Uint8Array; readonly value: Uint8Array };

/** Connections kept for the next range; more are closed after use. */
const idleReadersKept = 4;

/**
 * Read-only connections beside the writer's. A running SELECT sees the file as it was when it began (WAL), so a range longer than one page
 * keeps its connection to itself; everything else shares one.
 */
export class Readers {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #idle: Reader[] = [];
  readonly #snapshots = new Set<Snapshot>();
  #closed = false;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  get snapshots(): number {
    return this.#snapshots.size;
  }

  get(row: Uint8Array): Uint8Array | undefined {
    const reader = this.#take();
    try {
      return (reader.get.get(row) as { value: Uint8Array } | undefined)?.value;
    } finally {
      this.#giveBack(reader);
    }
  }

  /** A page at a time. Throws LIMIT_REACHED when `snapshotsMax` long ranges are being read, SNAPSHOT_LOST when nobody read this one for too long. */
  *pages(from: Uint8Array, to: Uint8Array, reverse: boolean, limit: number): Generator<readonly Row[]> {
    const reader = this.#take();
    let snapshot: Snapshot | undefined;
    const rows = (reverse ? reader.backward : reader.forward).iterate(from, to, limit) as unknown as Iterator<RawRow>;
    try {
      for (let last = false; !last;) {
        this.#check(snapshot);
        const page = nextPage(rows);
        last = page.last;
        if (!last) snapshot ??= this.#keep(reader);
        if (snapshot !== undefined) snapshot.usedMs = this.#clock.elapsedMs();
        if (last) this.#end(reader, snapshot, rows);
        yield page.rows;
      }
    } finally {
      this.#end(reader, snapshot, rows);
    }
  }

  /** Gives up ranges that nobody reads any more. */
  sweep(): void {
    const nowMs = this.#clock.elapsedMs();
    for (const snapshot of this.#snapshots) {
      if (nowMs - snapshot.usedMs > storeLimits.snapshotIdleMsMax) this.#drop(snapshot);
    }
  }

  close(): void {
    this.#closed = true;
    for (const snapshot of this.#snapshots) this.#drop(snapshot);
    for (const { database } of this.#idle.splice(0)) database.close();
  }

  #drop(snapshot: Snapshot): void {
    snapshot.lost = true;
    this.#snapshots.delete(snapshot);
    snapshot.reader.database.close();
  }

  #check(snapshot: Snapshot | undefined): void {
    if (this.#closed) throw new PeerAiError('STORE_CLOSED', `the store ${this.#path} was closed while it was read`);
    if (snapshot?.lost !== true) return;
    throw new PeerAiError('SNAPSHOT_LOST', `nobody read this range for ${storeLimits.snapshotIdleMsMax} ms`, {
      limit: storeLimits.snapshotIdleMsMax,
    });
  }

  #keep(reader: Reader): Snapshot {
    this.sweep();
    if (this.#snapshots.size >= storeLimits.snapshotsMax) {
      throw new PeerAiError('LIMIT_REACHED', `${storeLimits.snapshotsMax} long ranges are being read already`);
    }
    const snapshot = { reader, usedMs: this.#clock.elapsedMs(), lost: false };
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  /** Safe to call twice; a snapshot that was dropped has no connection to give back. */
  #end(reader: Reader, snapshot: Snapshot | undefined, rows: Iterator<RawRow>): void {
    if (ended.has(rows)) return;
    ended.add(rows);
    if (snapshot?.lost === true || this.#closed) return;
    if (snapshot !== undefined) this.#snapshots.delete(snapshot);
    rows.return?.();
    this.#giveBack(reader);
  }

  #take(): Reader {
    this.#check(undefined);
    return this.#idle.pop() ?? openReader(this.#path);
  }

  #giveBack(reader: Reader): void {
    if (this.#closed || this.#idle.length >= idleReadersKept) reader.database.close();
    else this.#idle.push(reader);
  }
}

const ended = new WeakSet<Iterator<RawRow>>();

/** Row by row, one promise each: an async generator would make three. */
export function rowsOf(pages: Generator<readonly Row[]>): AsyncIterableIterator<Row> {
  let page: readonly Row[] = [];
  let at = 0;
  return {
    async next() {
      for (;;) {
        const value = page[at];
        at += 1;
        if (value !== undefined) return { done: false, value };
        const read = pages.next();
        if (read.done === true) return { done: true, value: undefined };
        [page, at] = [read.value, 0];
      }
    },
    async return() {
      page = [];
      pages.return(undefined);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function nextPage(rows: Iterator<RawRow>): { readonly rows: readonly Row[]; readonly last: boolean } {
  const page: Row[] = [];
  for (let bytes = 0; page.length < limits.pageRowsMax && bytes < limits.pageBytesMax;) {
    const { done, value } = rows.next();
    if (done === true) return { rows: page, last: true };
    page.push({ key: keyText(value.key), value: value.value });
    bytes += value.value.length;
  }
  return { rows: page, last: false };
}

function openReader(path: string): Reader {
  const database = new DatabaseSync(path, { readOnly: true, timeout: storeLimits.storeBusyMsMax });
  const range = (order: string): StatementSync =>
    database.prepare(`SELECT key, value FROM rows WHERE key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`);
  return {
    database,
    get: database.prepare('SELECT value FROM rows WHERE key = ?'),
    forward: range('ASC'),
    backward: range('DESC'),
  };
}
