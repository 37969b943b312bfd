/**
 * The writer's thread: the only one that changes the file. It imports nothing but Node and its neighbours, so that it starts the same from
 * source and from dist.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { changed, type Failure, failureOf } from './failure.ts';
import { type FileOptions, openFile } from './file.ts';
import { type Packed, unpack } from './pack.ts';

export interface WriterOptions extends FileOptions {
  readonly commitsPerTransactionMax: number;
}
export interface Commit {
  readonly id: number;
  readonly changes: ArrayBuffer;
}
export type ToWriter = { readonly commits: readonly Commit[] } | { readonly close: true };
export type FromWriter =
  | { readonly opened: true }
  | { readonly refused: Failure }
  | {
      readonly transactions: number;
      readonly done: readonly number[];
      readonly failed: readonly Refused[];
    }
  | { readonly closed: true };

type Refused = readonly [number, Failure];

class Writer {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #get: StatementSync;
  #brokenBy: Failure | undefined;

  constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#put = database.prepare(
      'INSERT INTO rows (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
    this.#remove = database.prepare('DELETE FROM rows WHERE key = ?');
    this.#get = database.prepare('SELECT value FROM rows WHERE key = ?');
  }

  /** All of them in one transaction; when there is no room for all, each alone, so that the small ones still pass. */
  write(commits: readonly Commit[]): Extract<FromWriter, { done: unknown }> {
    const { failed, isFull } = this.#transact(commits);
    if (!isFull || commits.length === 1) return { transactions: 1, done: others(commits, failed), failed };
    const alone = commits.flatMap((commit) => this.#transact([commit]).failed);
    return { transactions: 1 + commits.length, done: others(commits, alone), failed: alone };
  }

  /** Those that failed; `isFull`: nothing was written, for want of space. */
  #transact(commits: readonly Commit[]): { readonly failed: readonly Refused[]; readonly isFull: boolean } {
    const failed: Refused[] = [];
    let failure = this.#brokenBy;
    if (failure === undefined) {
      try {
        this.#database.exec('BEGIN IMMEDIATE');
        for (const { id, changes } of commits) if (!this.#apply(changes)) failed.push([id, changed(this.#path)]);
        this.#database.exec('COMMIT');
        return { failed, isFull: false };
      } catch (error) {
        failure = this.#undo(failureOf(error, this.#path));
      }
    }
    const { code } = failure;
    return { failed: commits.map(({ id }) => [id, failure]), isFull: code === 'STORE_FULL' };
  }

  /** False, and nothing is changed, where a row is not as expected. */
  #apply(changes: ArrayBuffer): boolean {
    for (const row of unpack(changes)) {
      if (row.isExpected) {
        if (!this.#isThere(row)) return false;
      } else if (row.value === undefined) this.#remove.run(row.key);
      else this.#put.run(row.key, row.value);
    }
    return true;
  }

  #isThere({ key, value }: Packed): boolean {
    const found = this.#get.get(key)?.['value'];
    return found instanceof Uint8Array && value !== undefined
      ? Buffer.compare(found, value) === 0
      : found === undefined && value === undefined;
  }

  #undo(failure: Failure): Failure {
    if (failure.code === 'STORE_BROKEN') this.#brokenBy = failure;
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch (error) {
      this.#brokenBy = failureOf(error, this.#path);
    }
    return failure;
  }
}

function others(commits: readonly Commit[], failed: readonly Refused[]): number[] {
  const refused = new Set(failed.map(([id]) => id));
  return commits.flatMap(({ id }) => (refused.has(id) ? [] : [id]));
}

function waiting(port: MessagePort): ToWriter | undefined {
  const received: { message: ToWriter } | undefined = receiveMessageOnPort(port);
  return received?.message;
}

function main(options: WriterOptions): void {
  if (parentPort === null) throw new TypeError('the writer runs as a worker');
  const port = parentPort;
  const most = options.commitsPerTransactionMax;
  const send = (message: FromWriter): void => port.postMessage(message);
  let file: ReturnType<typeof openFile>;
  let writer: Writer;
  try {
    file = openFile(options);
    writer = new Writer(options.path, file.database);
  } catch (error) {
    return send({ refused: failureOf(error, options.path) });
  }
  // Whatever came while the last transaction was on its way to the disk shares the next one.
  port.on('message', (first: ToWriter) => {
    const commits: Commit[] = [];
    let next: ToWriter | undefined = first;
    while (next !== undefined && 'commits' in next) {
      for (const commit of next.commits) commits.push(commit);
      while (commits.length >= most) send(writer.write(commits.splice(0, most)));
      next = waiting(port);
    }
    if (commits.length > 0) send(writer.write(commits));
    if (next !== undefined) end();
  });
  send({ opened: true });

  function end(): void {
    try {
      file.close();
    } catch {
      // The changes are on disk; what failed is only tidying up.
    }
    send({ closed: true });
    port.close();
  }
}

main(workerData as WriterOptions);
