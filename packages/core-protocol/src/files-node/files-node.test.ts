import { mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fromUtf8 } from '../bytes.ts';
import type { Clock } from '../ports/index.ts';
import { lockFile, putSmallFile, readSmallFile } from './index.ts';

/** Locks are as old as the file system says, so the clock is the machine's. */
const clock: Pick<Clock, 'nowMs' | 'elapsedMs' | 'sleep'> = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
};
const times = { clock: clock as Clock, staleMs: 5_000, pollMs: 1 };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peerai-files-'));
  path = join(folder, 'one.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a file is read at its limit and not one byte longer, and a link is not followed', async () => {
  await putSmallFile(path, '12345');
  expect(fromUtf8((await readSmallFile(path, 5)) ?? new Uint8Array())).toBe('12345');
  expect(await readSmallFile(path, 4)).toBeUndefined();
  await symlink(path, join(folder, 'link.json'));
  expect(await readSmallFile(join(folder, 'link.json'), 5)).toBeUndefined();
  expect(await readSmallFile(folder, 5)).toBeUndefined();
});

test('a file is put for its user alone, or as open as it is told, and nothing lies beside it', async () => {
  await putSmallFile(path, 'a');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await putSmallFile(path, 'b', 0o666);
  expect([(await stat(path)).mode & 0o777, await readFile(path, 'utf8')]).toEqual([0o666, 'b']);
  await expect(putSmallFile(join(folder, 'none', 'x'), 'c')).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readdir(folder)).toEqual(['one.json']);
});

test('who holds the lock is alone: no count is lost among twenty that read and write', async () => {
  await putSmallFile(path, '0');
  const add = async (): Promise<void> => {
    await using _ = await lockFile(`${path}.lock`, times);
    const count = Number(await readFile(path, 'utf8'));
    await clock.sleep(1);
    await putSmallFile(path, String(count + 1));
  };
  await Promise.all(Array.from({ length: 20 }, add));
  expect([await readFile(path, 'utf8'), await readdir(folder)]).toEqual(['20', ['one.json']]);
});

test('a lock that was left behind is taken away, one that is held is waited for and no longer', async () => {
  const left = `${path}.lock`;
  await writeFile(left, '');
  const old = new Date(Date.now() - times.staleMs - 1_000);
  await utimes(left, old, old);
  await (await lockFile(left, times))[Symbol.asyncDispose]();
  await using _ = await lockFile(left, times);
  let elapsedMs = 0;
  const patient = { ...clock, elapsedMs: () => (elapsedMs += 1_000) } as Clock;
  await expect(lockFile(left, { ...times, clock: patient })).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
});
