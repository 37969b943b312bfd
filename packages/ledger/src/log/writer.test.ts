import { expect, test } from 'vitest';
import { notes } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { createWriter } from './writer.ts';

/** A log whose groups are on disk when the test says so. */
function slowLog({ isSlow = true } = {}) {
  const sizes: number[] = [];
  const under: PromiseWithResolvers<void>[] = [];
  let [begun, kept] = [0, 0];
  const writer = createWriter({
    busy: () => undefined,
    begin(entries) {
      const first = BigInt(begun);
      const end = (begun += entries.length);
      const written = Promise.withResolvers<void>();
      sizes.push(entries.length);
      under.push(written);
      if (!isSlow) written.resolve();
      return { first, written: written.promise, keep: () => void (kept = end) };
    },
    check() {},
    async goBack() {
      begun = kept;
      return BigInt(kept);
    },
  });
  return { writer, sizes, under };
}
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test.each([
  ['as many as the limit', [1, limits.commitEntriesMax - 1], [limits.commitEntriesMax]],
  ['one more than the limit', [1, limits.commitEntriesMax - 1, 1], [limits.commitEntriesMax, 1]],
  ['one append longer than it', [1, limits.commitEntriesMax + 1, 1], [1, limits.commitEntriesMax + 1, 1]],
])('appends that share a commit bring %s', async (_, appends, commits) => {
  const { writer, sizes } = slowLog({ isSlow: false });
  const firsts = await Promise.all(appends.map((count) => writer.append(notes(count), [])));
  expect(sizes).toEqual(commits);
  expect(firsts).toEqual(appends.map((_one, at) => BigInt(appends.slice(0, at).reduce((sum, one) => sum + one, 0))));
});

test('a group begins before the one before it is written from groupAheadEntriesMin entries on', async () => {
  const { writer, sizes, under } = slowLog();
  const one = writer.append(notes(1), []);
  await turn();
  const many = Array.from({ length: limits.groupAheadEntriesMin - 1 }, () => writer.append(notes(1), []));
  await turn();
  expect(sizes).toEqual([1]);
  const last = writer.append(notes(1), []);
  await turn();
  expect(sizes).toEqual([1, limits.groupAheadEntriesMin]);
  const few = writer.append(notes(1), []);
  await turn();
  for (const written of under) written.resolve();
  await Promise.all([one, ...many, last]);
  await turn();
  expect(sizes).toEqual([1, limits.groupAheadEntriesMin, 1]);
  under[2]?.resolve();
  expect(await few).toBe(BigInt(limits.groupAheadEntriesMin + 1));
});

test('groupsUnderWayMax groups are written at once, and answered in order however they end', async () => {
  const { writer, sizes, under } = slowLog();
  const answers: bigint[] = [];
  const count = limits.commitEntriesMax;
  const appends = Array.from({ length: limits.groupsUnderWayMax + 1 }, async () => {
    answers.push(await writer.append(notes(count), []));
  });
  await turn();
  expect(sizes).toHaveLength(limits.groupsUnderWayMax);
  under[1]?.resolve();
  await turn();
  expect([answers, sizes.length]).toEqual([[], limits.groupsUnderWayMax]);
  under[0]?.resolve();
  await turn();
  expect([answers, sizes.length]).toEqual([[0n, BigInt(count)], limits.groupsUnderWayMax + 1]);
  let isIdle = false;
  const idle = writer.idle().then(() => (isIdle = true));
  for (const written of under.slice(2, -1)) written.resolve();
  await turn();
  expect(isIdle).toBe(false);
  under.at(-1)?.resolve();
  await Promise.all([...appends, idle]);
  expect(answers).toEqual(appends.map((_, at) => BigInt(at * count)));
});
