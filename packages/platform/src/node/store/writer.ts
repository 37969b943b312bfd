/**
 * The writer's thread: the only one that changes the file. It imports nothing but Node and its neighbours, so that it starts the same from
 * source and from dist.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type Failure, failureOf } from './failure.ts';
import { type FileOptions, openFile } from './file.ts';
import { unpack } from './pack.ts';

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
      readonly failed: readonly (readonly [number, Failure])[];
    }
  | { readonly closed: true };

class Writer {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  #brokenBy: Failure | undefined;

  constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#put = database.prepare(
      'INSERT INTO rows (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
    this.#remove = database.prepare('DELETE FROM rows WHERE key = ?');
  }

  /** All of them in one transaction; when there is no room for all, each alone, so that the small ones still pass. */
  write(commits: readonly Commit[]): Extract<FromWriter, { done: unknown }> {
    const failure = this.#transact(commits);
    if (failure === undefined) return { transactions: 1, done: commits.map(({ id }) => id), failed: [] };
    if (failure.code !== 'STORE_FULL' || commits.length === 1) {
      return { transactions: 1, done: [], failed: commits.map(({ id }) => [id, failure]) };
    }
    const done: number[] = [];
    const failed: (readonly [number, Failure])[] = [];
    for (const commit of commits) {
      const own = this.#transact([commit]);
      if (own === undefined) done.push(commit.id);
      else failed.push([commit.id, own]);
    }
    return { transactions: 1 + commits.length, done, failed };
  }

  #transact(commits: readonly Commit[]): Failure | undefined {
    if (this.#brokenBy !== undefined) return this.#brokenBy;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { changes } of commits) {
        for (const { key, value } of unpack(changes)) {
          if (value === undefined) this.#remove.run(key);
          else this.#put.run(key, value);
        }
      }
      this.#database.exec('COMMIT');
      return undefined;
    } catch (error) {
      return this.#undo(failureOf(error, this.#path));
    }
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
