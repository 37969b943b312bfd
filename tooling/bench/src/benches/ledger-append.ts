import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createIdentity } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { openLedger } from '@peerai/ledger';
import { systemClock, systemRandom } from '@peerai/platform';
import { openStore } from '@peerai/platform/node';
import { freshFolder } from '../folder.ts';
import { type Bench, interleave, resultOf } from '../harness.ts';

const batch = 100;
/** Batches of one reading. */
const batches = 60;
const rounds = 9;
/** Who append one entry at a time, each once its last one is acknowledged, and how often in a reading: the first and the last group alone have nothing to overlap with. */
const callers = 1_000;
const appendsEach = 40;
/** What the log puts into one commit of theirs at most. */
const group = 512;
/** A receipt's size; with the entry's other fields about 420 bytes. */
const bodyBytes = 320;

/** Durable ledger entries a second in batches of 100, against a raw file with fdatasync of the same bytes? */
export const ledgerAppend: Bench = {
  name: 'ledger-append',
  async run({ signal }) {
    using folder = freshFolder();
    const store = await openStore(join(folder.path, 'store.sqlite'));
    const identity = createIdentity(nodeCrypto, systemRandom.bytes(32));
    const ledger = await openLedger({ store: store.room('ledger'), identity, crypto: nodeCrypto, clock: systemClock });
    const entry = () => ({ kind: 'usage-receipt', body: systemRandom.bytes(bodyBytes) });
    await ledger.append([entry()]);
    let entryBytes = 0;
    for await (const bytes of ledger.read(0n, 1n)) entryBytes = bytes.length;
    const chunk = systemRandom.bytes(entryBytes * batch);
    const groupChunk = systemRandom.bytes(entryBytes * group);
    const file = await open(join(folder.path, 'raw'), 'a');
    const sqlite = bareSqlite(join(folder.path, 'bare.sqlite'));
    const row = systemRandom.bytes(entryBytes);
    const drafts = Array.from({ length: batch }, entry);
    try {
      const readings = await interleave(
        {
          batched: () => entriesPerSecond(() => ledger.append(drafts)),
          together: () => entriesPerSecond(() => Promise.all(drafts.map((one) => ledger.append([one])))),
          callers: () =>
            entriesPerSecond(
              () =>
                Promise.all(
                  Array.from({ length: callers }, async (_, caller) => {
                    const one = drafts.slice(caller % batch, (caller % batch) + 1);
                    for (let turn = 0; turn < appendsEach; turn += 1) await ledger.append(one);
                  }),
                ),
              1,
              callers * appendsEach,
            ),
          raw: () =>
            entriesPerSecond(async () => {
              await file.write(chunk);
              await file.datasync();
            }),
          rawGroups: () =>
            entriesPerSecond(
              async () => {
                await file.write(groupChunk);
                await file.datasync();
              },
              8,
              group,
            ),
          sqlite: () => entriesPerSecond(() => sqlite.append(row)),
        },
        { rounds, signal },
      );
      const unit = 'entries/s';
      return {
        results: [
          resultOf({
            case: 'one append of 100 entries',
            unit,
            candidate: readings.batched,
            baseline: readings.raw,
          }),
          resultOf({
            case: '100 appends of one entry at once',
            unit,
            candidate: readings.together,
            baseline: readings.raw,
          }),
          resultOf({
            case: '1,000 callers, each waits for its own entry',
            unit,
            candidate: readings.callers,
            baseline: readings.raw,
            goal: 0.9,
          }),
          resultOf({
            case: '1,000 callers, against a raw file with a sync for 512 entries',
            unit,
            candidate: readings.callers,
            baseline: readings.rawGroups,
          }),
          resultOf({
            case: 'one append of 100 entries, against bare node:sqlite',
            unit,
            candidate: readings.batched,
            baseline: readings.sqlite,
          }),
        ],
        notes: [
          `${entryBytes} bytes an entry as the log keeps it; ${batches} batches a reading, each waited for.`,
          `The callers append ${appendsEach} times each; theirs share a sync, at most ${group} entries a commit, where the raw file has one for 100.`,
        ],
      };
    } finally {
      sqlite.close();
      await file.close();
      await store.close();
    }
  },
};

async function entriesPerSecond(write: () => unknown, times = batches, entries = batch): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < times; index += 1) await write();
  return (entries * times) / ((performance.now() - start) / 1000);
}

/** The same rows in one thread with nothing of ours: what SQLite itself costs with these settings. */
function bareSqlite(path: string) {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE rows (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;`);
  const put = database.prepare('INSERT INTO rows (key, value) VALUES (?, ?)');
  const key = new Uint8Array(16);
  let count = 0n;
  return {
    append(value: Uint8Array): void {
      database.exec('BEGIN IMMEDIATE');
      for (let index = 0; index < batch; index += 1) {
        new DataView(key.buffer).setBigUint64(8, count);
        count += 1n;
        put.run(key, value);
      }
      database.exec('COMMIT');
    },
    close: () => database.close(),
  };
}
