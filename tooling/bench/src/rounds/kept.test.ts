import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { freshFolder } from '../folder.ts';
import { keptParts } from './kept.ts';

it('A part that was measured is not measured again, until its terms change or the whole is done', async () => {
  using folder = freshFolder();
  let measured = 0;
  const work = async () => (measured += 1);
  const said: string[] = [];
  const kept = () => keptParts((line) => said.push(line), folder.path);
  expect(await kept().part('a', { steps: 1 }, work)).toBe(1);
  const again = kept();
  expect(await again.part('a', { steps: 1 }, work)).toBe(1);
  expect(said).toEqual(['a: kept from a run that was broken off']);
  expect(await again.part('a', { steps: 2 }, work)).toBe(2);
  expect(await again.part('b', { steps: 1 }, work)).toBe(3);
  again.forget();
  expect(readdirSync(folder.path)).toEqual([]);
  await expect(kept().part('c', {}, () => Promise.reject(new Error('broken off')))).rejects.toThrow('broken off');
  expect(readdirSync(folder.path)).toEqual([]);
});
