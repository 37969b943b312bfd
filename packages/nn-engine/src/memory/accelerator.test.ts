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

/** So many capsules of one embedder. */
function groupOf(rows: number): Group {
  const holdings = new Holdings();
  for (let place = 0; place < rows; place += 1)
    holdings.put(
      { ...opened, facts: { ...opened.facts, id: `${place}` } },
      { mine: true, keptSinceMs: 0, rowBytes: 1, uses: 0 },
    );
  const [group] = holdings.groups();
  if (group === undefined) throw new TypeError('a group has rows');
  return group;
}
/** Knows the first labels as the nearest, and writes down how many it is asked for. */
const indexOf = (asked: number[] = []): VectorIndex => ({
  add: () => undefined,
  remove: () => undefined,
  search(_, count) {
    asked.push(count);
    const labels = [...Array.from({ length: count }).keys()];
    return { labels, cosines: labels.map(() => 1) };
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

it('asks an index for so many rows, and looks at every row when that is not enough', async () => {
  const rows = limits.indexAskedRowsMax + 1;
  for (const [limit, expected] of [
    [limits.indexAskedRowsMax, [limits.indexAskedRowsMax]],
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
