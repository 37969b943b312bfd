import { expect, test } from 'vitest';
import { notes } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { createWriter } from './writer.ts';

test.each([
  ['as many as the limit', [1, limits.commitEntriesMax - 1], [limits.commitEntriesMax]],
  ['one more than the limit', [1, limits.commitEntriesMax - 1, 1], [limits.commitEntriesMax, 1]],
  ['one append longer than it', [1, limits.commitEntriesMax + 1, 1], [1, limits.commitEntriesMax + 1, 1]],
])('appends that share a commit bring %s', async (_, appends, commits) => {
  const sizes: number[] = [];
  let size = 0;
  const append = createWriter(async (entries) => {
    sizes.push(entries.length);
    size += entries.length;
    return BigInt(size - entries.length);
  });
  const firsts = await Promise.all(appends.map((count) => append(notes(count), [])));
  expect(sizes).toEqual(commits);
  expect(firsts).toEqual(appends.map((_one, at) => BigInt(appends.slice(0, at).reduce((sum, one) => sum + one, 0))));
});
