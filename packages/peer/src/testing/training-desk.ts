import { nobleCrypto } from '@peerai/core-protocol';
import { MemoryShelf, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { readIn } from '../training/data-sets.ts';
import { openRunBook } from '../training/run-book.ts';

/** Where data to train over is read in. */
export async function trainingDesk(isUsed: (id: string) => boolean = () => false) {
  const shelf = new MemoryShelf();
  const ledger = { append: () => Promise.reject(new Error('nothing is stated here')) };
  const book = await openRunBook({ store: new MemoryStore(), shelf, ledger });
  let nowMs = 0;
  const deps = { random: seededRandom(1), crypto: nobleCrypto, book, shelf, isUsed, nowMs: () => (nowMs += 1) };
  const read = (name: string, ...pieces: readonly Uint8Array[]) =>
    readIn(
      deps,
      name,
      (async function* come() {
        yield* pieces;
      })(),
    );
  return { shelf, book, read };
}
