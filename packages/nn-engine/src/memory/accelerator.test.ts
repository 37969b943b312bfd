import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { expect, it } from 'vitest';

import { Accelerator } from './accelerator.ts';
import { type Group, Holdings } from './holdings.ts';
import { memoryLimits as limits } from './limits.ts';
import { Best, find } from './search.ts';
import { signCapsule } from './signed-capsule.ts';
import { bodyOf, memoryDeps } from './testing/fixtures.ts';
import type { VectorIndex } from './vector-index.ts';

const { clock, identity } = memoryDeps(1);
const vector = Float32Array.of(1, 0);
const opened = signCapsule(crypto, identity, bodyOf({ vector }));

/** So many capsules of one embedder, each of this vector unless said. */
function groupOf(rows: number, vectorOf = (_place: number): Float32Array => vector): Group {
  const holdings = new Holdings();
  for (let place = 0; place < rows; place += 1)
    holdings.put(
      { ...opened, facts: { ...opened.facts, id: `${place}` }, body: { ...opened.body, vector: vectorOf(place) } },
      { mine: true, keptSinceMs: 0, rowBytes: 1, uses: 0 },
    );
  const [group] = holdings.groups();
  if (group === undefined) throw new TypeError('a group has rows');
  return group;
}
/** Takes the first labels for the nearest and all for as near, and writes down how many it is asked for. */
const indexOf = (asked: number[] = [], cosine = 1, errorMax = 0): VectorIndex => ({
  errorMax,
  add: () => undefined,
  remove: () => undefined,
  search(_, count) {
    asked.push(count);
    const labels = [...Array.from({ length: count }).keys()];
    return { labels, cosines: labels.map(() => cosine) };
  },
});
function accelerated(group: Group, index: VectorIndex): Accelerator {
  const indexes = { create: async () => index, load: async () => undefined, save: async () => undefined };
  const accelerator = new Accelerator({ indexes, clock, name: 'x', signal: new AbortController().signal }, group);
  group.accelerator = accelerator;
  return accelerator;
}

it('looks at every row itself while more wait for the index than may', async () => {
  for (const [rows, isUsed] of [
    [limits.indexWaitingRowsMax, true],
    [limits.indexWaitingRowsMax + 1, false],
  ] as const) {
    const accelerator = accelerated(groupOf(rows), indexOf());
    // The index is there, and the builder's first turn has not come.
    await new Promise(setImmediate);
    expect(accelerator.nearest(vector, 1) !== undefined).toBe(isUsed);
  }
});

it('gives an index `indexStepRows` rows before others have a turn', async () => {
  const steps: number[] = [];
  const index = { ...indexOf(), add: (labels: readonly number[]) => void steps.push(labels.length) };
  await clock.until(accelerated(groupOf(limits.indexStepRows + 1), index).settled());
  expect(steps).toEqual([limits.indexStepRows, 1]);
});

it('asks an index for so many rows, and looks at every row when that is not enough', async () => {
  const rows = limits.indexAskedRowsMax + limits.indexSpareRows + 1;
  for (const [limit, expected] of [
    [limits.indexAskedRowsMax, [limits.indexAskedRowsMax + limits.indexSpareRows]],
    [limits.indexAskedRowsMax + 1, []],
  ] as const) {
    const asked: number[] = [];
    const group = groupOf(rows);
    const accelerator = accelerated(group, indexOf(asked));
    await clock.until(accelerator.settled());
    const best = new Best(limit);
    find(group, vector, { tags: [], ranking: 'similarity', limit, nowMs: 0 }, best);
    expect([asked, best.found.length]).toEqual([expected, limit]);
  }
});

/** Cosines fall from place to place, but the best of all is at one place. */
const fallingBut = (best: number) => (place: number) => {
  const angle = place === best ? 0 : 0.1 + place / 1_000;
  return Float32Array.of(Math.cos(angle), Math.sin(angle));
};
async function found(group: Group, index: VectorIndex, limit: number): Promise<readonly string[]> {
  await clock.until(accelerated(group, index).settled());
  const best = new Best(limit);
  find(group, vector, { tags: [], ranking: 'similarity', limit, nowMs: 0 }, best);
  return best.found.map(({ held }) => held.facts.id);
}

it('orders by the table what an index cannot tell apart, and looks at some rows that it did not want', async () => {
  const limit = 4;
  const asked: number[] = [];
  const group = groupOf(60, fallingBut(limit + 2));
  // The true cosines are 0.98 to 1.
  expect(await found(group, indexOf(asked, 0.9, 0.1), limit)).toEqual(['6', '0', '1', '2']);
  expect(asked).toEqual([limit + limits.indexSpareRows]);
});

it('asks for more when the last row that an index names is among the best, because the next may be so too', async () => {
  const limit = 4;
  const asked: number[] = [];
  const group = groupOf(60, fallingBut(limit + limits.indexSpareRows - 1));
  expect(await found(group, indexOf(asked, 0.9, 0.1), limit)).toEqual(['11', '0', '1', '2']);
  expect(asked).toEqual([limit + limits.indexSpareRows, 8 * limit + limits.indexSpareRows]);
});

it('does not look up rows that could not win if an index were wrong by all it may be', async () => {
  const limit = 4;
  const group = groupOf(60, fallingBut(limit + 2));
  const looked: number[] = [];
  const { table } = group;
  const cosine = table.cosine.bind(table);
  table.cosine = (place, ...more) => (looked.push(place), cosine(place, ...more));
  // Below each row's own, so that the first four are looked up, and the last to see how far the answer reaches.
  await found(group, indexOf([], 0.9, 0), limit);
  expect(looked).toEqual([0, 1, 2, 3, limit + limits.indexSpareRows - 1]);
});

it('leaves out a row that does not count, whether the index names it or not', async () => {
  const group = groupOf(3);
  const accelerator = accelerated(group, indexOf());
  await clock.until(accelerator.settled());
  const question = { tags: [], ranking: 'similarity', limit: 2, nowMs: 0 } as const;
  const found = (limit: number): readonly string[] => {
    const best = new Best(limit);
    find(group, vector, { ...question, limit, counts: ({ facts }) => facts.id !== '0' }, best);
    return best.found.map(({ held }) => held.facts.id);
  };
  expect([found(1), found(2), found(3)]).toEqual([['1'], ['1', '2'], ['1', '2']]);
});
