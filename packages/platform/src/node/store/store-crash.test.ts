import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';

/**
 * Commits n, n+1, … two at a time, four commits in the air, and prints each number once its commit is acknowledged. Beside them a chain: each
 * commit builds on the one before, three in the air; printed as -1, -2, …
 */
const child = `
  import { writeSync } from 'node:fs';
  import { openStore } from ${JSON.stringify(new URL('./open-store.ts', import.meta.url).href)};
  const [path, first, count] = [process.argv[1], Number(process.argv[2]), Number(process.argv[3])];
  const store = await openStore(path);
  let next = first;
  const value = new Uint8Array(420);
  // A pipe that is full for a moment says so: a process that ends by itself is none that was killed.
  function say(text) {
    for (let rest = Buffer.from(text); rest.length > 0;) {
      try {
        rest = rest.subarray(writeSync(1, rest));
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
    }
  }
  async function lane() {
    while (next < first + count) {
      const [a, b] = [next++, next++];
      const key = (n) => String(n).padStart(12, '0');
      await store.commit([store.put(key(a), value), store.put(key(b), value)]);
      say(a + '\\n' + b + '\\n');
    }
  }
  const room = store.room('chain');
  async function chain() {
    let tip = await room.get('tip');
    let at = Number(Buffer.from(tip ?? []).toString());
    const air = [];
    while (next < first + count) {
      while (air.length < 3) {
        const number = (at += 1);
        const to = Buffer.from(String(number));
        const onto = { ...room.put('tip', to), expected: { value: tip } };
        tip = to;
        air.push(room.commit([onto, room.put(String(number).padStart(12, '0'), value)]).then(() => say('-' + number + '\\n')));
      }
      await air.shift();
    }
    await Promise.all(air);
  }
  say('ready\\n');
  await Promise.all([lane(), lane(), lane(), lane(), chain()]);
  if (process.argv[4] === 'hang') setInterval(() => {}, 1000);
`;
const flags = ['--conditions=@peerai/source', '--input-type=module-typescript', '--eval', child];

/** The system's, where it has them. */
const tools = { trace: 'strace', mount: 'mount', unmount: 'umount', shell: 'sh' } as const;
/** Each costs a process; `PEERAI_CRASH_POINTS=200` is the long run. What 200 points leave in the files, store-torn.test.ts looks at each time. */
const killPoints = Number(process.env['PEERAI_CRASH_POINTS'] ?? 8);

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-crash-'));
  path = join(folder, 'peer.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function killMany(file: string, times: number): Promise<Set<number>> {
  const all = new Set<number>();
  for (let round = 0; round < times; round += 1) {
    const run = start(file, String(round * 1_000_000), '900000');
    await run.ready;
    const enough = 11 + Math.random() * 100;
    while (run.acknowledged.size < enough) await new Promise((resolve) => void setTimeout(resolve, Math.random() * 5));
    run.process.kill('SIGKILL');
    await run.ended;
    expect(run.process.signalCode).toBe('SIGKILL');
    for (const number of run.acknowledged) all.add(number);
  }
  return all;
}

function start(
  file: string,
  ...args: readonly string[]
): { process: ChildProcess; acknowledged: Set<number>; ready: Promise<void>; ended: Promise<void> } {
  const running = spawn(process.execPath, [...flags, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged = new Set<number>();
  const ready = Promise.withResolvers<void>();
  let text = '';
  running.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'ready') ready.resolve();
      else acknowledged.add(Number(line));
    }
  });
  const ended = new Promise<void>((resolve) => void running.once('close', () => resolve()));
  return { process: running, acknowledged, ready: ready.promise, ended };
}

/** Those of the chain below 0, after a look at its end. */
async function numbersIn(file: string): Promise<Set<number>> {
  const store = await openStore(file);
  try {
    const found = new Set<number>();
    for await (const { key } of store.range('', '\u{10FFFF}')) found.add(Number(key));
    const chain = store.room('chain');
    let last = 0;
    for await (const { key } of chain.range('0', '1')) {
      expect(Number(key)).toBe(last + 1);
      last += 1;
      found.add(-last);
    }
    expect(Buffer.from((await chain.get('tip')) ?? []).toString()).toBe(String(last));
    return found;
  } finally {
    await store.close();
  }
}

describe('kill -9', () => {
  it(
    `loses nothing that was acknowledged, and halves no commit, at ${killPoints} random points`,
    { timeout: 30_000 + 9_000 * killPoints },
    async () => {
      const files = [path, join(folder, 'other.db')];
      const acknowledged = await Promise.all(
        files.map(async (file) => killMany(file, Math.ceil(killPoints / files.length))),
      );
      for (const [index, file] of files.entries()) {
        const found = await numbersIn(file);
        const all = [...(acknowledged[index] ?? [])];
        expect(all.length).toBeGreaterThan(10 * killPoints);
        expect(all.filter((number) => !found.has(number))).toEqual([]);
        expect([...found].filter((number) => number >= 0 && !found.has(number ^ 1))).toEqual([]);
        expect(all.some((number) => number < 0)).toBe(true);
      }
    },
  );

  it('frees the lock of the one that was killed, and STORE_LOCKED names a living one', async () => {
    const run = start(path, '0', '2', 'hang');
    await run.ready;
    await expect(openStore(path)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(path),
    });
    run.process.kill('SIGKILL');
    await run.ended;
    await (await openStore(path)).close();
  });
});

it(
  'asks the disk to keep every lone commit before it is acknowledged (strace counts)',
  { timeout: 60_000 },
  async ({ skip }) => {
    if (spawnSync(tools.trace, ['-V']).status !== 0) return skip('strace is not installed');
    const trace = join(folder, 'trace');
    const sequential = `
    import { openStore } from ${JSON.stringify(new URL('./open-store.ts', import.meta.url).href)};
    const store = await openStore(process.argv[1]);
    for (let n = 0; n < 40; n += 1) await store.commit([store.put('k' + n, new Uint8Array(10))]);
    process.kill(process.pid, 'SIGKILL');`;
    const options = ['-f', '-qq', '-e', 'trace=fsync,fdatasync', '-o', trace, process.execPath];
    spawnSync(
      tools.trace,
      [...options, '--conditions=@peerai/source', '--input-type=module', '--eval', sequential, path],
      {
        timeout: 50_000,
      },
    );
    if (!existsSync(trace)) return skip('strace may not trace here');
    const syncs = readFileSync(trace, 'utf8').match(/f(?:data)?sync\(/gu)?.length ?? 0;
    expect(syncs).toBeGreaterThanOrEqual(40);
    expect(
      (await openStore(path).then(async (store) => [await store.get('k39'), await store.close()]))[0],
    ).toBeDefined();
  },
);

describe('a disk that fails', () => {
  /** A chain of commits, two under way, until one is refused; prints what both were told, and how many were acknowledged before. */
  const untilRefused = `
    import { openStore } from ${JSON.stringify(new URL('./open-store.ts', import.meta.url).href)};
    const store = await openStore(process.argv[1]);
    const refusals = [];
    let count = 0;
    const tip = (n) => (n < 0 ? undefined : Buffer.from(String(n)));
    const onto = (n) => {
      const row = store.put('k' + String(n).padStart(6, '0'), new Uint8Array(3_000));
      return store.commit([{ ...store.put('tip', tip(n)), expected: { value: tip(n - 1) } }, row]).then(
        () => (count += 1),
        (error) => refusals.push(error.code),
      );
    };
    while (refusals.length < 2 && count < 400) {
      const next = count;
      const one = onto(next);
      await new Promise(setImmediate);
      await Promise.all([one, onto(next + 1)]);
    }
    console.log(JSON.stringify({ count, refusals }));
    process.kill(process.pid, 'SIGKILL');`;
  const program = ['--conditions=@peerai/source', '--input-type=module', '--eval', untilRefused];

  async function looked(output: string): Promise<void> {
    const { count, refusals } = JSON.parse(output) as { count: number; refusals: string[] };
    // The second alone, then both again; or both at once.
    expect(refusals.length).toBeGreaterThanOrEqual(2);
    expect(new Set(refusals)).toEqual(new Set(['STORE_BROKEN']));
    expect(count).toBeGreaterThan(2);
    const store = await openStore(path);
    let found = 0;
    for await (const { key } of store.range('k', 'l')) {
      expect(key).toBe(`k${String(found).padStart(6, '0')}`);
      found += 1;
    }
    await store.close();
    // The refused ones may be there, in order: that they were not kept for sure is all that was said.
    expect(found - count).toBeGreaterThanOrEqual(0);
    expect(found - count).toBeLessThanOrEqual(2);
  }

  it('with EIO when it is asked to keep: that commit and all after it are refused, what was acknowledged is there', async ({
    skip,
  }) => {
    if (spawnSync(tools.trace, ['-V']).status !== 0) return skip('strace is not installed');
    // Making the file takes a dozen.
    const which = 'fsync,fdatasync';
    const inject = [
      '-f',
      '-qq',
      '-o',
      join(folder, 'trace'),
      '-e',
      `trace=${which}`,
      '-e',
      `inject=${which}:error=EIO:when=20+`,
    ];
    const { stdout, stderr } = spawnSync(tools.trace, [...inject, process.execPath, ...program, path], {
      encoding: 'utf8',
    });
    if (stdout === '') return skip(`strace may not inject here: ${stderr.slice(0, 80)}`);
    await looked(stdout);
  });

  it('that takes no more bytes: the same', async ({ skip }) => {
    if (process.platform === 'win32') return skip('no limit on file sizes');
    // Blocks of 512 bytes (of 1,024 in some shells); a write beyond fails with EFBIG, which to SQLite is a failed disk.
    const limited = `trap '' XFSZ; ulimit -f 800; exec "$0" "$@"`;
    const { stdout } = spawnSync(tools.shell, ['-c', limited, process.execPath, ...program, path], {
      encoding: 'utf8',
    });
    await looked(stdout);
  });
});

it(
  'keeps everything acknowledged on a disk that is really full, and goes on when there is room',
  { timeout: 60_000 },
  async ({ skip }) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    if (spawnSync(tools.mount, ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status !== 0)
      return skip('may not mount a small disk here');
    try {
      const full = join(disk, 'peer.db');
      const filler = join(disk, 'filler');
      writeFileSync(filler, new Uint8Array(200_000));
      const store = await openStore(full);
      const acknowledged: string[] = [];
      const refusals: unknown[] = [];
      for (let number = 0; refusals.length === 0 && number < 1_000; number += 1) {
        const key = `k${number}`;
        await store.commit([store.put(key, new Uint8Array(4_000))]).then(
          () => acknowledged.push(key),
          (error: unknown) => refusals.push(error),
        );
      }
      expect(refusals[0]).toMatchObject({ code: 'STORE_FULL' });
      expect(acknowledged.length).toBeGreaterThan(10);
      rmSync(filler);
      await store.commit([store.put('after', new Uint8Array(10))]);
      await store.close();
      const again = await openStore(full);
      for (const key of [...acknowledged, 'after']) expect(await again.get(key)).toBeDefined();
      await again.close();
      copyFileSync(full, path);
    } finally {
      spawnSync(tools.unmount, [disk]);
    }
  },
);
