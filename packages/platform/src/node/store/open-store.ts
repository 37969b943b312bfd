import { Worker } from 'node:worker_threads';
import {
  type Change,
  type Clock,
  limits as core,
  type Logger,
  PeerAiError,
  type Row,
  type Store,
} from '@peerai/core-protocol';
import { systemClock } from '../../clock.ts';
import { limits } from '../../limits.ts';
import { storeLimits } from './limits.ts';
import { changeKey, checkValue } from '../../store/row-key.ts';
import { storeView } from '../../store/view.ts';
import { type Failure, failureOf } from './failure.ts';
import { pack, type Packed, packedBytes } from './pack.ts';
import { Readers, rowsOf } from './readers.ts';
import type { Commit, FromWriter, ToWriter, WriterOptions } from './writer.ts';

export interface StoreOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** The file may have this many bytes (its write-ahead log aside), then STORE_FULL; none by default. */
  readonly bytesMax?: number;
}
export interface StoreStats {
  readonly path: string;
  /** Commits on disk since the store was opened, and the transactions they shared. */
  readonly commits: number;
  readonly transactions: number;
  /** Asked for and not on disk yet. */
  readonly waitingCommits: number;
  readonly waitingBytes: number;
  /** Long ranges being read. */
  readonly snapshots: number;
}
export interface FileStore extends Store {
  /** Waits for what was asked for, then lets go of the file. Safe to call twice. */
  close(): Promise<void>;
  stats(): StoreStats;
}
/** Taken before a test's fake timers can replace it: what is asked for while the writer is busy crosses to it once a turn. */
const afterThisTurn = setImmediate;

interface Waiting {
  readonly bytes: number;
  resolve(): void;
  reject(error: PeerAiError): void;
}

/**
 * The Store port on one SQLite file (WAL, synchronous=FULL), written by a worker thread. `commit` resolves once the transaction is on disk;
 * what comes while one is on its way shares the next, up to 256 commits.
 *
 * Throws STORE_LOCKED when another process has the file, STORE_NEWER when a newer program wrote it, STORE_BROKEN when it is damaged.
 * Later STORE_CHANGED and STORE_FULL (nothing of that commit was written, the next may pass), STORE_BROKEN (then everything is refused
 * until reopened), LIMIT_REACHED when more than `waitingBytesMax` wait to be written.
 */
export async function openStore(path: string, options: StoreOptions = {}): Promise<FileStore> {
  const file = new SqliteFile(path, options);
  await file.opened;
  return {
    ...storeView(file),
    close: () => file.close(),
    stats: () => file.stats(),
  };
}

class SqliteFile {
  readonly opened: Promise<void>;
  readonly #path: string;
  readonly #logger: Logger | undefined;
  readonly #worker: Worker;
  readonly #readers: Readers;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  readonly #unsent: Commit[] = [];
  #nextId = 0;
  #waitingBytes = 0;
  #unsentBytes = 0;
  #commits = 0;
  #transactions = 0;
  #brokenBy: PeerAiError | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, options: StoreOptions) {
    this.#path = path;
    this.#logger = options.logger;
    this.#readers = new Readers(path, options.clock ?? systemClock);
    this.#worker = startWriter(path, options.bytesMax);
    const started = Promise.withResolvers<void>();
    this.opened = started.promise;
    const ended = Promise.withResolvers<void>();
    this.#ended = ended.promise;
    this.#worker.on('message', (message: FromWriter) => this.#heard(message, started));
    this.#worker.on('error', (error) => this.#break(failureOf(error, path), started.reject));
    this.#worker.on('exit', () => {
      ended.resolve();
      if (this.#closing !== undefined && this.#waiting.size === 0) return;
      this.#break(failureOf(new Error('its writer ended'), path), started.reject);
    });
  }

  async get(row: Uint8Array): Promise<Uint8Array | undefined> {
    this.#check();
    try {
      return this.#readers.get(row);
    } catch (error) {
      throw this.#readFailure(error);
    }
  }

  range(...query: Parameters<Readers['pages']>): AsyncIterable<Row> {
    return rowsOf(this.#pages(...query));
  }

  *#pages(...query: Parameters<Readers['pages']>): ReturnType<Readers['pages']> {
    this.#check();
    try {
      yield* this.#readers.pages(...query);
    } catch (error) {
      throw this.#readFailure(error);
    }
  }

  async commit(changes: readonly Change[]): Promise<void> {
    this.#check();
    if (changes.length === 0) return;
    const rows = packedRows(changes);
    const bytes = packedBytes(rows);
    if (this.#waitingBytes + bytes > storeLimits.waitingBytesMax) {
      const details = { waiting: this.#waitingBytes, bytes, limit: storeLimits.waitingBytesMax };
      throw new PeerAiError('LIMIT_REACHED', 'too much waits to be written; wait for earlier commits', details);
    }
    const buffer = pack(rows);
    this.#readers.sweep();
    await new Promise<void>((resolve, reject) => {
      // With nothing under way it leaves after the commits of the same call, before whatever else this turn computes.
      const soon = this.#waiting.size === 0 ? queueMicrotask : afterThisTurn;
      const id = this.#nextId;
      this.#nextId += 1;
      this.#waiting.set(id, { bytes, resolve, reject });
      this.#waitingBytes += bytes;
      this.#unsent.push({ id, changes: buffer });
      this.#unsentBytes += bytes;
      if (this.#unsentBytes >= storeLimits.crossingBytes) this.#send();
      else if (this.#unsent.length === 1) soon(() => this.#send());
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  stats(): StoreStats {
    return {
      path: this.#path,
      commits: this.#commits,
      transactions: this.#transactions,
      waitingCommits: this.#waiting.size,
      waitingBytes: this.#waitingBytes,
      snapshots: this.#readers.snapshots,
    };
  }

  #send(): void {
    if (this.#unsent.length === 0) return;
    const commits = this.#unsent.splice(0);
    this.#unsentBytes = 0;
    this.#worker.ref();
    this.#worker.postMessage(
      { commits } satisfies ToWriter,
      commits.map(({ changes }) => changes),
    );
  }

  async #close(): Promise<void> {
    this.#readers.close();
    this.#send();
    this.#worker.ref();
    this.#worker.postMessage({ close: true } satisfies ToWriter, []);
    await this.#ended;
  }

  #heard(message: FromWriter, started: PromiseWithResolvers<void>): void {
    if ('opened' in message) {
      this.#worker.unref();
      started.resolve();
    } else if ('refused' in message) {
      this.#closing = this.#ended;
      started.reject(new PeerAiError(message.refused.code, message.refused.message, { path: this.#path }));
    } else if ('done' in message) {
      this.#transactions += message.transactions;
      for (const id of message.done) this.#settle(id);
      for (const [id, failure] of message.failed) this.#settle(id, failure);
    }
  }

  #settle(id: number, failure?: Failure): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    this.#waitingBytes -= waiting.bytes;
    if (this.#waiting.size === 0 && this.#closing === undefined) this.#worker.unref();
    if (failure === undefined) {
      this.#commits += 1;
      return waiting.resolve();
    }
    if (failure.code === 'STORE_BROKEN') this.#break(failure);
    waiting.reject(new PeerAiError(failure.code, failure.message, { path: this.#path }));
  }

  #check(): void {
    if (this.#closing !== undefined) throw new PeerAiError('STORE_CLOSED', `the store ${this.#path} is closed`);
    if (this.#brokenBy !== undefined) throw this.#brokenBy;
  }

  #readFailure(error: unknown): PeerAiError {
    if (PeerAiError.is(error)) return error;
    const failure = failureOf(error, this.#path);
    if (failure.code === 'STORE_BROKEN') this.#break(failure);
    return new PeerAiError(failure.code, failure.message, { path: this.#path }, { cause: error });
  }

  #break(failure: Failure, refuseStart?: (error: PeerAiError) => void): void {
    if (this.#brokenBy === undefined)
      this.#logger?.error('store-broken', { path: this.#path, reason: failure.message });
    this.#brokenBy ??= new PeerAiError(failure.code, failure.message, { path: this.#path });
    refuseStart?.(this.#brokenBy);
    if (refuseStart === undefined) return;
    for (const id of this.#waiting.keys()) this.#settle(id, failure);
  }
}

/** What is expected first. */
function packedRows(changes: readonly Change[]): Packed[] {
  const rows: Packed[] = [];
  for (const { key, expected } of changes) if (expected !== undefined) rows.push(packedRow(key, expected.value, true));
  for (const { key, value } of changes) rows.push(packedRow(key, value, false));
  return rows;
}

function packedRow(key: string, value: Uint8Array | undefined, isExpected: boolean): Packed {
  return { key: asciiKey(key, value) ?? changeKey({ key, value }), value, isExpected };
}

/** `changeKey` in one pass for a key as nearly all are, short and ASCII; `undefined` for every other, also one that is refused. */
function asciiKey(key: string, value: Uint8Array | undefined): Uint8Array<ArrayBuffer> | undefined {
  const pathLength = key.lastIndexOf('\0') + 1;
  if (pathLength > limits.roomPathBytesMax || key.length - pathLength > core.storeKeyBytesMax) return undefined;
  checkValue(value);
  const row = new Uint8Array(2 + key.length);
  row[0] = pathLength >> 8;
  row[1] = pathLength & 0xff;
  for (let index = 0; index < key.length; index += 1) {
    const code = key.charCodeAt(index);
    if (code > 0x7f) return undefined;
    row[index + 2] = code;
  }
  return row;
}

function startWriter(path: string, bytesMax: number | undefined): Worker {
  const options: WriterOptions = {
    path,
    bytesMax,
    busyMsMax: storeLimits.storeBusyMsMax,
    lockWaitMs: storeLimits.storeLockWaitMs,
    checkBytesMax: storeLimits.storeCheckBytesMax,
    checkpointBytes: storeLimits.checkpointBytes,
    writeAheadBytesKept: storeLimits.writeAheadBytesKept,
    commitsPerTransactionMax: storeLimits.commitsPerTransactionMax,
  };
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./writer.${ending}`, import.meta.url), {
    workerData: options,
    name: 'peerai-store',
    execArgv: [],
  });
}
