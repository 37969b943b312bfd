import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { broken, type Failure, failureOf, locked } from './failure.ts';

/** The layout this program writes; a higher number in a file means a newer program wrote it. */
const schemaVersion = 1;
/** 'PrAI': says that an SQLite file is ours. */
const applicationId = 0x50_72_41_49;
const magic = 'SQLite format 3\0';
/**
 * 420-byte entries measured faster on 8 KiB pages than on 4 or 16, and a quarter faster in a table with rowids than in one without:
 * SQLite appends to the right edge of such a table without touching the neighbours of a full page.
 */
const pageBytes = 8_192;

export interface FileOptions {
  readonly path: string;
  readonly busyMsMax: number;
  readonly lockWaitMs: number;
  readonly checkBytesMax: number;
  readonly checkpointBytes: number;
  readonly writeAheadBytesKept: number;
  readonly bytesMax: number | undefined;
}

export interface OpenFile {
  readonly database: DatabaseSync;
  close(): void;
}

/**
 * Takes the lock, makes the file when there is none, and opens it for writing. Throws a Failure.
 *
 * The lock is an exclusive transaction on the empty SQLite file `<path>.lock`: the kernel drops it with the process, however that ends.
 */
export function openFile(options: FileOptions): OpenFile {
  const { path } = options;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = takeLock(path, options.lockWaitMs);
  try {
    if (!existsSync(path)) create(path);
    checkHeader(path);
    const database = openDatabase(options);
    return {
      database,
      close() {
        database.close();
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw failureOf(error, path);
  }
}

function takeLock(path: string, waitMs: number): DatabaseSync {
  const lockPath = `${path}.lock`;
  try {
    touch(lockPath);
    const lock = new DatabaseSync(lockPath, { timeout: waitMs });
    try {
      lock.exec('BEGIN EXCLUSIVE');
      return lock;
    } catch (error) {
      lock.close();
      throw error;
    }
  } catch (error) {
    const failure = failureOf(error, lockPath);
    throw failure.code === 'STORE_LOCKED' ? locked(path) : failure;
  }
}

/** Written whole under another name, then renamed: a file of this name is never half made, so an empty one is damage, not a beginning. */
function create(path: string): void {
  if (existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0)
    throw broken(path, 'the file is gone, its -wal is not');
  const draft = `${path}.new`;
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(draft + suffix, { force: true });
  touch(draft);
  const database = new DatabaseSync(draft);
  database.exec(`PRAGMA page_size = ${pageBytes};
    PRAGMA journal_mode = WAL;
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${schemaVersion};
    CREATE TABLE rows (key BLOB PRIMARY KEY, value BLOB NOT NULL);`);
  database.close();
  sync(draft);
  renameSync(draft, path);
  sync(dirname(path));
}

function checkHeader(path: string): void {
  const head = new Uint8Array(16);
  const file = openSync(path, 'r');
  const read = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  if (read === 0) throw broken(path, 'the file is empty');
  if (new TextDecoder().decode(head) !== magic) throw broken(path, 'this is no SQLite file, or its header is damaged');
}

function openDatabase(options: FileOptions): DatabaseSync {
  const { path, busyMsMax, checkBytesMax, checkpointBytes, writeAheadBytesKept, bytesMax } = options;
  const database = new DatabaseSync(path, { timeout: busyMsMax });
  try {
    checkSchema(database, path);
    database.exec(`PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA checkpoint_fullfsync = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA wal_autocheckpoint = ${Math.floor(checkpointBytes / pageBytes)};
      PRAGMA journal_size_limit = ${writeAheadBytesKept};`);
    if (bytesMax !== undefined)
      database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(bytesMax / pageBytes))}`);
    if (statSync(path).size <= checkBytesMax) checkPages(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function checkSchema(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== applicationId) throw broken(path, 'it is not a PeerAI store');
  const version = Number(pragma(database, 'user_version'));
  if (version <= schemaVersion) return;
  const message = `${path} was written by a newer PeerAI (layout ${version}, this one knows ${schemaVersion}); update this program`;
  throw { code: 'STORE_NEWER', message } satisfies Failure;
}

function checkPages(database: DatabaseSync, path: string): void {
  const result = pragma(database, 'quick_check(1)');
  if (result !== 'ok')
    throw broken(path, `its pages are damaged (${String(result).replaceAll(/\s+/gu, ' ').slice(0, 120)})`);
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** There, and for its owner only. */
function touch(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}
