/** A program that fills the disk under the folder that it is given, makes room and goes on; says what it saw. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../src/node/store/open-store.ts';

export interface Seen {
  /** The code of the first commit for which there was no room. */
  readonly refused: string | undefined;
  readonly acknowledged: number;
  /** Keys of acknowledged commits that are not there when the store is opened again, also of the one after there was room. */
  readonly lost: readonly string[];
}

const disk = process.argv[2] ?? '';
const path = join(disk, 'peer.db');
const filler = join(disk, 'filler');
writeFileSync(filler, new Uint8Array(200_000));
const store = await openStore(path);
const acknowledged: string[] = [];
const refused: string[] = [];
for (let number = 0; refused.length === 0 && number < 1_000; number += 1)
  await store.commit([store.put(`k${number}`, new Uint8Array(4_000))]).then(
    () => acknowledged.push(`k${number}`),
    (error: unknown) => refused.push((error as { code: string }).code),
  );
rmSync(filler);
await store.commit([store.put('after', new Uint8Array(10))]);
await store.close();
const again = await openStore(path);
const lost: string[] = [];
for (const key of [...acknowledged, 'after']) if ((await again.get(key)) === undefined) lost.push(key);
await again.close();
console.log(JSON.stringify({ refused: refused[0], acknowledged: acknowledged.length, lost } satisfies Seen));
