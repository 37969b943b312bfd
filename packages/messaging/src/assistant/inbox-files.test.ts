import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, fromUtf8, utf8 } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { workMs } from '@peerai/config/thread-time';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openInboxFiles, readInbox } from './inbox-files.ts';
import { assistantLimits } from './limits.ts';

/** Waits a hundredth as long as it is told; locks are as old as the file system says. */
const clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms / 100)),
} as Clock;
const entry = (n: number | string, more: object = {}): object => ({
  from: 'assistant_a',
  to: 'assistant_b',
  type: 'user',
  encrypted: `text ${n}`,
  timestamp: '2025-06-15T12:32:02.123456',
  conversation_id: null,
  user_initiated: true,
  ...more,
});
const bytes = (value: unknown): Uint8Array => utf8(JSON.stringify(value));

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'peerai-inbox-')), 'inbox');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

const file = (name = 'assistant_b'): string => join(folder, `${name}.json`);
const inFile = async (name?: string): Promise<unknown> => JSON.parse(await readFile(file(name), 'utf8')) as unknown;
async function taken(self = 'assistant_b'): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  await openInboxFiles(folder, { clock }).take(self, (one) => void all.push(JSON.parse(fromUtf8(one))));
  return all;
}

describe('an inbox file', () => {
  test('holds a JSON array as the first assistants write it, and gives each envelope once, in order', async () => {
    const files = openInboxFiles(folder, { clock });
    expect(await taken()).toEqual([]);
    for (const n of [1, 2, 3]) await files.put('assistant_b', bytes(entry(n)));
    expect(await readFile(file(), 'utf8')).toBe(JSON.stringify([entry(1), entry(2), entry(3)], null, 2));
    expect(await taken()).toEqual([entry(1), entry(2), entry(3)]);
    expect([await inFile(), await taken(), await readdir(folder)]).toEqual([[], [], ['assistant_b.json']]);
  });

  test('is read as an older program leaves it: empty, a line long, with mail of others and its own in it', async () => {
    await mkdir(folder);
    await writeFile(file(), ' \n');
    expect(await taken()).toEqual([]);
    const other = entry('other', { to: 'assistant_c' });
    const own = entry('own', { from: 'assistant_b' });
    await writeFile(file(), JSON.stringify([other, own, entry(1), 7, null, [entry(2)], { from: 1 }]));
    expect(await taken()).toEqual([entry(1)]);
    expect(await inFile()).toEqual([other]);
    const before = (await stat(file())).mtimeMs;
    expect([await taken(), (await stat(file())).mtimeMs]).toEqual([[], before]);
  });

  test('keeps what was not handled, and what came meanwhile', async () => {
    const files = openInboxFiles(folder, { clock });
    for (const n of [1, 1, 2]) await files.put('assistant_b', bytes(entry(n)));
    let count = 0;
    const failing = files.take('assistant_b', async () => {
      count += 1;
      if (count === 2) throw new Error('not now');
      await files.put('assistant_b', bytes(entry(3)));
    });
    await expect(failing).rejects.toThrow('not now');
    expect(await taken()).toEqual([entry(1), entry(2), entry(3)]);
  });

  test('loses nothing to two processes that write and one that reads', { timeout: 30_000 }, async () => {
    const each = 40;
    const script = new URL('./testing/put-many.ts', import.meta.url);
    const writers = ['x', 'y'].map((name) =>
      fork(script, [folder, name, String(each)], { execArgv: ['--conditions=@peerai/source'] }),
    );
    const ended = Promise.all(writers.map((writer) => once(writer, 'exit')));
    const files = openInboxFiles(folder, { clock });
    const all: string[] = [];
    const look = (): Promise<number> =>
      files.take('assistant_b', (one) => void all.push((JSON.parse(fromUtf8(one)) as { encrypted: string }).encrypted));
    const isRunning = (): boolean => writers.some(({ exitCode }) => exitCode === null);
    while (isRunning()) await look().then(() => clock.sleep(500));
    expect((await ended).map(([code]) => code as number)).toEqual([0, 0]);
    await look();
    for (const name of ['x', 'y']) {
      const own = all.filter((text) => text.startsWith(name));
      expect(own).toEqual(Array.from({ length: each }, (_, n) => `${name} ${n}`));
    }
    expect(await readdir(folder)).toEqual(['assistant_b.json']);
  });

  test('is as open as its folder', async () => {
    const files = openInboxFiles(folder, { clock });
    await files.put('assistant_b', bytes(entry(1)));
    const mode = async (): Promise<number> => (await stat(file())).mode & 0o777;
    expect([(await stat(folder)).mode & 0o777, await mode()]).toEqual([0o700, 0o600]);
    await chmod(folder, 0o775);
    await files.put('assistant_b', bytes(entry(2)));
    expect(await mode()).toBe(0o664);
  });
});

describe('half a file', () => {
  test('is looked at again, and read when it is whole', async () => {
    await mkdir(folder);
    const text = JSON.stringify([entry(1)]);
    await writeFile(file(), text.slice(0, 40));
    let looks = 0;
    const patient = {
      ...clock,
      sleep: async () => {
        looks += 1;
        if (looks === 3) await writeFile(file(), text);
      },
    } as Clock;
    await openInboxFiles(folder, { clock: patient }).put('assistant_b', bytes(entry(2)));
    expect(await inFile()).toEqual([entry(1), entry(2)]);
  });

  test.each([0, 1])(
    'is looked at again so often, with a pause before each look; whole %i pauses later it is another file',
    async (more) => {
      await mkdir(folder);
      await writeFile(file(), '[');
      const pauses: number[] = [];
      const patient = {
        ...clock,
        sleep: async (ms: number) => {
          pauses.push(ms);
          if (pauses.length === assistantLimits.halfFileLooksMax + more)
            await writeFile(file(), JSON.stringify([entry(1)]));
        },
      };
      await openInboxFiles(folder, { clock: patient }).put('assistant_b', bytes(entry(2)));
      expect(pauses).toEqual(
        Array.from({ length: assistantLimits.halfFileLooksMax }, () => assistantLimits.halfFileMs),
      );
      expect(await inFile()).toEqual(more === 0 ? [entry(1), entry(2)] : [entry(2)]);
    },
  );

  test('that stays so is put aside, by who writes and by who reads, and mail goes on', async () => {
    await mkdir(folder);
    for (const next of [1, 2]) {
      await writeFile(file(), `[{"from": ${next}`);
      const files = openInboxFiles(folder, { clock });
      if (next === 1) expect(await taken()).toEqual([]);
      await files.put('assistant_b', bytes(entry(next)));
      expect([await inFile(), await readFile(`${file()}.damaged`, 'utf8')]).toEqual([
        [entry(next)],
        `[{"from": ${next}`,
      ]);
    }
  });
});

describe('limits', () => {
  test.each([
    [0, 1],
    [1, 2],
  ])('a lock that lacks %i ms of what one can be old is looked at again %i times', async (lacks, looks) => {
    await mkdir(folder);
    const lock = `${file()}.lock`;
    await writeFile(lock, '');
    const { mtimeMs } = await stat(lock);
    let nowMs = mtimeMs + assistantLimits.lockStaleMs - lacks;
    const pauses: number[] = [];
    const watched = {
      nowMs: () => nowMs,
      elapsedMs: () => 0,
      sleep: async (ms: number) => {
        pauses.push(ms);
        nowMs += 1;
      },
    } as Partial<Clock> as Clock;
    await openInboxFiles(folder, { clock: watched }).put('assistant_b', bytes(entry(1)));
    expect(pauses).toEqual(Array.from({ length: looks }, () => assistantLimits.lockPollMs));
  });

  test('inboxEnvelopesMax fit into a file, one more is LIMIT_REACHED, and nothing is lost', async () => {
    await mkdir(folder);
    const most = Array.from({ length: assistantLimits.inboxEnvelopesMax - 1 }, (_, n) => entry(n));
    await writeFile(file(), JSON.stringify(most));
    const files = openInboxFiles(folder, { clock });
    await files.put('assistant_b', bytes(entry('last')));
    await expect(files.put('assistant_b', bytes(entry('more')))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    expect((await taken()).length).toBe(assistantLimits.inboxEnvelopesMax);
  });

  test('a file has inboxBytesMax bytes, and a longer one is left as it is', async () => {
    const empty = JSON.stringify([entry('')], null, 2).length;
    const fits = entry('x'.repeat(assistantLimits.inboxBytesMax - empty));
    const files = openInboxFiles(folder, { clock });
    await files.put('assistant_b', bytes(fits));
    expect((await stat(file())).size).toBe(assistantLimits.inboxBytesMax);
    await expect(files.put('assistant_b', bytes(entry(1)))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    expect(await taken()).toHaveLength(1);
    await writeFile(file(), ' '.repeat(assistantLimits.inboxBytesMax + 1));
    const tooLong = { code: 'LIMIT_EXCEEDED' };
    await expect(files.put('assistant_b', bytes(entry(1)))).rejects.toMatchObject(tooLong);
    await expect(files.take('assistant_b', () => undefined)).rejects.toMatchObject(tooLong);
    expect((await stat(file())).size).toBe(assistantLimits.inboxBytesMax + 1);
  });

  test('a name has nameCharsMax characters and is no way out of the folder', async () => {
    const files = openInboxFiles(folder, { clock });
    const longest = 'a'.repeat(assistantLimits.nameCharsMax);
    await files.put(longest, bytes(entry(1, { to: longest })));
    expect(await taken(longest)).toHaveLength(1);
    for (const name of [`${longest}a`, '', '..', '../x', 'a/b', 'a.b', 'a\0b', 'ä']) {
      await expect(files.put(name, bytes(entry(1)))).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
      await expect(files.take(name, () => undefined)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    }
    await expect(files.put('b', utf8('{"from":{}}'))).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  });

  test('a link is not followed', async () => {
    await mkdir(folder);
    await writeFile(join(folder, '..', 'private'), '[]');
    await symlink(join(folder, '..', 'private'), file());
    const files = openInboxFiles(folder, { clock });
    await expect(files.put('assistant_b', bytes(entry(1)))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await readFile(join(folder, '..', 'private'), 'utf8')).toBe('[]');
  });
});

/** Ten thousand; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutations = 10_000;
const slowestMsMax = 250;

test('ten thousand mutated files: envelopes or half a file, never anything else, and soon', () => {
  const valid = utf8(JSON.stringify([entry(1), entry(2, { to: 'c' })], null, 2));
  expect(readInbox(valid)).toHaveLength(2);
  const random = seededRandom(70);
  const word = (below: number): number => new DataView(random.bytes(4).buffer).getUint32(0) % below;
  let [half, slowestMs] = [0, 0];
  for (let turn = 0; turn < mutations; turn += 1) {
    const changed = valid.slice(0, word(4) === 0 ? word(valid.length) : valid.length);
    for (let place = 0; place <= word(3); place += 1) changed[word(valid.length)] = word(256);
    const read = (): void => {
      const entries = readInbox(changed);
      half += entries === undefined ? 1 : 0;
      for (const one of entries ?? []) expect(typeof one['from']).toBe('string');
    };
    slowestMs = Math.max(slowestMs, workMs(read, slowestMsMax, 3));
  }
  expect(half).toBeGreaterThan(mutations / 4);
  expect(slowestMs).toBeLessThan(slowestMsMax);
  expect(readInbox(utf8(`[${'['.repeat(1_000_000)}`))).toBeUndefined();
});
