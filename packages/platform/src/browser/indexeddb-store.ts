import { type Change, isAsExpected, PeerAiError, type Row, type Store, storeChanged } from '@peerai/core-protocol';
import type { PlatformErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { changeKey, keyText } from '../store/row-key.ts';
import { storeView } from '../store/view.ts';
import { Undo } from './undo.ts';

export interface BrowserStoreOptions {
  /** The browser's own by default; tests give another. */
  readonly indexedDB?: IDBFactory;
  /** Where the page's exclusive lock is asked for; absent on plain-http pages, then two tabs are not kept apart. */
  readonly locks?: Pick<LockManager, 'request'> | undefined;
}
export interface BrowserStore extends Store {
  /** Waits for what was asked for. Safe to call twice. */
  close(): Promise<void>;
}

/** The layout this program writes; IndexedDB refuses a database that is newer. */
const schemaVersion = 1;
const table = 'rows';

/**
 * The Store port on IndexedDB, durability 'strict': a commit resolves once the browser says it is on disk. Keys are compared as UTF-8 bytes.
 *
 * Throws STORE_LOCKED when another tab has this store (where the page may use Web Locks), STORE_NEWER, STORE_BROKEN when the browser gives
 * no database (private windows of some). Later STORE_FULL, and STORE_BROKEN, then everything is refused until reopened.
 */
export async function openBrowserStore(name: string, options: BrowserStoreOptions = {}): Promise<BrowserStore> {
  const locks = 'locks' in options ? options.locks : globalThis.navigator?.locks;
  const release = await takeLock(name, locks);
  try {
    const database = await openDatabase(name, options.indexedDB ?? globalThis.indexedDB);
    const file = new IndexedFile(name, database, release);
    return { ...storeView(file), close: () => file.close() };
  } catch (error) {
    release();
    throw error;
  }
}

/** Resolves with what gives the lock back. */
function takeLock(name: string, locks: BrowserStoreOptions['locks']): Promise<() => void> {
  if (locks === undefined) return Promise.resolve(() => undefined);
  return new Promise((resolve, reject) => {
    const hold = (lock: unknown): Promise<void> | undefined => {
      if (lock === null) {
        reject(failure('STORE_LOCKED', `another tab of this page uses ${name}; use that one, or close it`));
        return undefined;
      }
      const released = Promise.withResolvers<void>();
      resolve(released.resolve);
      return released.promise;
    };
    locks.request(`peerai-store:${name}`, { ifAvailable: true }, hold).catch(reject);
  });
}

function openDatabase(name: string, factory: IDBFactory | undefined): Promise<IDBDatabase> {
  if (factory === undefined) throw broken(name, 'this browser has no IndexedDB');
  return new Promise((resolve, reject) => {
    const request = factory.open(name, schemaVersion);
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore(table));
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(openFailure(name, request.error)));
    request.addEventListener('blocked', () =>
      reject(failure('STORE_LOCKED', `another tab keeps ${name} busy; close it`)),
    );
  });
}

class IndexedFile {
  readonly #name: string;
  readonly #database: IDBDatabase;
  readonly #release: () => void;
  readonly #reading = new Set<Undo>();
  readonly #writing = new Set<Promise<void>>();
  #brokenBy: PeerAiError | undefined;
  #closing: Promise<void> | undefined;

  constructor(name: string, database: IDBDatabase, release: () => void) {
    this.#name = name;
    this.#database = database;
    this.#release = release;
    database.addEventListener('close', () => this.#break(broken(name, 'the browser took it away')));
    database.addEventListener('versionchange', () => {
      database.close();
      this.#break(broken(name, 'a newer version of this page took it over; reload'));
    });
  }

  async get(row: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    const value = await this.#guard((rows) => result(rows.get(row)), 'readonly');
    return value === undefined ? undefined : (value as Uint8Array);
  }

  /** Page by page, each in its own transaction: one kept open would block every commit. `Undo` makes them one snapshot. */
  async *range(
    from: Uint8Array<ArrayBuffer>,
    to: Uint8Array<ArrayBuffer>,
    reverse: boolean,
    limit: number,
  ): AsyncIterable<Row> {
    this.#check();
    const undo = new Undo(from, to, reverse);
    this.#reading.add(undo);
    try {
      let left = limit < 0 ? Infinity : limit;
      while (left > 0 && !undo.ended) {
        const page = await this.#guard((rows) => readPage(rows, undo.rest(), reverse), 'readonly');
        for (const { key, value } of undo.page(page.rows, page.last)) {
          if (left === 0) return;
          left -= 1;
          yield { key: keyText(key), value };
        }
      }
    } finally {
      this.#reading.delete(undo);
    }
  }

  async commit(changes: readonly Change[]): Promise<void> {
    this.#check();
    const rows = new Map(
      changes.map((change) => [change.key, { row: changeKey(change), value: change.value?.slice() }]),
    );
    if (rows.size === 0) return;
    const checks = changes.flatMap(({ key, expected }) =>
      expected === undefined ? [] : [{ key, value: undefined, expected: { value: expected.value?.slice() } }],
    );
    // Only ranges that began before this transaction see the rows as they were before it.
    const readers = [...this.#reading];
    const written = this.#guard(async (store, transaction) => {
      const done = completion(transaction);
      done.catch(() => undefined);
      if (checks.length > 0) await expectAll(store, checks);
      for (const { row, value } of rows.values()) {
        const touched = readers.filter((undo) => undo.covers(row));
        if (touched.length > 0) {
          const before = store.get(row);
          before.addEventListener('success', () => {
            for (const undo of touched) undo.remember(row, before.result as Uint8Array | undefined);
          });
        }
        if (value === undefined) store.delete(row);
        else store.put(value, row);
      }
      await done;
    }, 'readwrite');
    const quiet = written.catch(() => undefined);
    this.#writing.add(quiet);
    try {
      await written;
    } finally {
      this.#writing.delete(quiet);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#writing);
    this.#database.close();
    this.#release();
  }

  #check(): void {
    if (this.#closing !== undefined) throw failure('STORE_CLOSED', `the store ${this.#name} is closed`);
    if (this.#brokenBy !== undefined) throw this.#brokenBy;
  }

  #break(error: PeerAiError): PeerAiError {
    this.#brokenBy ??= error;
    return error;
  }

  async #guard<T>(
    work: (rows: IDBObjectStore, transaction: IDBTransaction) => Promise<T>,
    mode: IDBTransactionMode,
  ): Promise<T> {
    this.#check();
    let transaction: IDBTransaction | undefined;
    try {
      transaction = this.#database.transaction(table, mode, { durability: 'strict' });
      return await work(transaction.objectStore(table), transaction);
    } catch (error) {
      abort(transaction);
      if (PeerAiError.is(error, 'STORE_CHANGED')) throw error;
      const name = (error as { name?: string } | null)?.name;
      if (name === 'QuotaExceededError') {
        throw failure(
          'STORE_FULL',
          `this browser gives ${this.#name} no more space; nothing of this commit was written`,
          error,
        );
      }
      if (this.#closing !== undefined && name === 'InvalidStateError') this.#check();
      throw this.#break(broken(this.#name, name ?? 'unknown failure', error));
    }
  }
}

/** All are asked for before the first is awaited, and their answers keep the transaction alive. Throws STORE_CHANGED. */
async function expectAll(rows: IDBObjectStore, checks: readonly Change[]): Promise<void> {
  const found = await Promise.all(checks.map((change) => result(rows.get(changeKey(change)))));
  if (!checks.every((change, index) => isAsExpected(change, found[index] as Uint8Array | undefined))) {
    throw storeChanged();
  }
}

/** Rows in the order of reading, up to a page; `last` when there are no more. */
function readPage(
  rows: IDBObjectStore,
  range: IDBKeyRange | undefined,
  reverse: boolean,
): Promise<{ rows: { key: Uint8Array; value: Uint8Array }[]; last: boolean }> {
  const page: { key: Uint8Array; value: Uint8Array }[] = [];
  if (range === undefined) return Promise.resolve({ rows: page, last: true });
  return new Promise((resolve, reject) => {
    const request = rows.openCursor(range, reverse ? 'prev' : 'next');
    let bytes = 0;
    request.addEventListener('error', () => reject(request.error));
    request.addEventListener('success', () => {
      const cursor = request.result;
      if (cursor === null) return resolve({ rows: page, last: true });
      const value = cursor.value as Uint8Array;
      page.push({ key: new Uint8Array(cursor.key as ArrayBuffer), value });
      bytes += value.length;
      if (page.length >= limits.pageRowsMax || bytes >= limits.pageBytesMax) resolve({ rows: page, last: false });
      else cursor.continue();
    });
  });
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });
}

function completion(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(transaction.error));
  });
}

/** What failed before all was asked for must not be half written. */
function abort(transaction: IDBTransaction | undefined): void {
  try {
    transaction?.abort();
  } catch {
    // It had ended by itself.
  }
}

function openFailure(name: string, error: DOMException | null): PeerAiError {
  if (error?.name === 'VersionError') {
    return failure('STORE_NEWER', `${name} was written by a newer version of this page; reload it`, error);
  }
  if (error?.name === 'QuotaExceededError') return failure('STORE_FULL', `this browser gives ${name} no space`, error);
  return broken(name, error?.name ?? 'unknown failure', error);
}

function broken(name: string, why: string, cause?: unknown): PeerAiError {
  return failure('STORE_BROKEN', `the store ${name} cannot be used: ${why}; reload the page, or clear its data`, cause);
}

function failure(code: PlatformErrorCode, message: string, cause?: unknown): PeerAiError {
  return new PeerAiError(code, message, {}, cause === undefined ? undefined : { cause });
}
