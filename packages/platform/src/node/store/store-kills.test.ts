import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Found, Order, Point } from '../../../test/killed-writer.ts';
import { isInCheckpoint } from '../../../test/write-ahead-index.ts';
import { storeLimits } from './limits.ts';
import { openStore } from './open-store.ts';

const seed = Number(process.env['PEERAI_SEED'] ?? Date.now() % 1_000_000);
/** Of processes. A fresh store after every 25: what is found after each kill is looked at whole. */
const kills = Number(process.env['PEERAI_CRASH_POINTS'] ?? 200);
const killsPerStore = 25;
const points: readonly Point[] = [
  'writing',
  'checkpoint',
  'writing',
  'closing',
  'opening',
  'writing',
  'checkpoint',
  'outside',
];
const program = fileURLToPath(new URL('../../../test/killed-writer.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-kills-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

interface Run {
  readonly signal: string | null;
  /** Nothing where it was killed while it opened. */
  readonly found: Found | undefined;
  readonly acknowledged: readonly number[];
}
interface Writer {
  /** Gives the order to a program that has loaded; resolves when it has ended. */
  run(order: Order): Promise<Run>;
  stop(): void;
}

function startWriter(): Writer {
  const running = spawn(process.execPath, ['--conditions=@peerai/source', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  });
  const ended = new Promise<void>((resolve) => void running.once('close', () => resolve()));
  const acknowledged: number[] = [];
  let [text, found, killAfter]: [string, Found | undefined, number] = ['', undefined, Infinity];
  running.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('found ')) found = JSON.parse(line.slice(6)) as Found;
      else if (line !== 'loaded') acknowledged.push(Number(line));
    }
    if (acknowledged.length >= killAfter) running.kill('SIGKILL');
  });
  return {
    async run(order) {
      if (order.point === 'outside') killAfter = order.after;
      running.stdin.end(JSON.stringify(order));
      await ended;
      return { signal: running.signalCode, acknowledged, found };
    },
    stop: () => void running.kill('SIGKILL'),
  };
}

/** Kills one writer after the other on one store. What is acknowledged before is looked for after each kill. */
async function killMany(path: string, times: number, random: () => number) {
  const acknowledged = new Set<number>();
  const struck = { kept: 0, inCheckpoint: 0 };
  let openMs = 50;
  let ahead = startWriter();
  try {
    for (let round = 0; round <= times; round += 1) {
      const writer = ahead;
      if (round < times) ahead = startWriter();
      const point = round === times ? 'none' : (points[round % points.length] ?? 'writing');
      const order = { path, point, openMs, first: round * 1_000_000, part: random() };
      const { signal, found, ...more } = await writer.run({
        ...order,
        after: 1 + Math.floor(random() * 30),
        checkpointBytes: point === 'checkpoint' || round % 2 === 1 ? 131_072 : storeLimits.checkpointBytes,
      });
      expect(signal).toBe(point === 'none' ? null : 'SIGKILL');
      if (point !== 'opening') expect(found).toBeDefined();
      if (found !== undefined) {
        checkFound(found, acknowledged, `after ${round} kills, seed ${seed}`);
        openMs = found.openMs;
        struck.kept = found.numbers.filter((number) => !acknowledged.has(number)).length;
      }
      for (const number of more.acknowledged) acknowledged.add(number);
      if (point === 'checkpoint' && isInCheckpoint(readFileSync(`${path}-shm`))) struck.inCheckpoint += 1;
    }
  } finally {
    ahead.stop();
  }
  return { acknowledged: acknowledged.size, ...struck };
}

function checkFound(found: Found, acknowledged: ReadonlySet<number>, when: string): void {
  const all = new Set([...found.numbers, ...found.chain.map((number) => -number)]);
  expect(
    [...acknowledged].filter((number) => !all.has(number)),
    `lost, ${when}`,
  ).toEqual([]);
  expect(
    found.numbers.filter((number) => !all.has(number ^ 1)),
    `halved, ${when}`,
  ).toEqual([]);
  expect(found.changed, `changed, ${when}`).toEqual([]);
  expect(found.chain, `the chain, ${when}`).toEqual(Array.from({ length: found.tip }, (_, index) => index + 1));
}

it(
  `kill -9 loses nothing that was acknowledged, halves no commit and changes no byte, at ${kills} points of opening, writing, checkpoints and closing (seed ${seed})`,
  { timeout: 120_000 + kills * 6_000 },
  async () => {
    const bytes = seededRandom(seed);
    const random = (): number => new DataView(bytes.bytes(4).buffer).getUint32(0) / 2 ** 32;
    const count = Math.ceil(kills / killsPerStore);
    const stores = Array.from({ length: count }, (_, index) => join(folder, `${index}.db`));
    const results: Awaited<ReturnType<typeof killMany>>[] = [];
    const lane = async (): Promise<void> => {
      for (let path = stores.shift(); path !== undefined; path = stores.shift())
        results.push(await killMany(path, Math.ceil(kills / count), random));
    };
    await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, lane));
    const sum = (of: 'acknowledged' | 'kept' | 'inCheckpoint'): number =>
      results.reduce((all, result) => all + result[of], 0);
    expect(sum('acknowledged')).toBeGreaterThan(kills);
    // Kills between the disk and the word that it is there, and in the midst of a checkpoint: the points are where they should be.
    expect(sum('kept')).toBeGreaterThan(0);
    expect(sum('inCheckpoint')).toBeGreaterThan(0);
  },
);

it('kill -9 frees the lock, and STORE_LOCKED names the file while its owner lives', async () => {
  const path = join(folder, 'peer.db');
  const owner = `
    import { openStore } from ${JSON.stringify(new URL('./open-store.ts', import.meta.url).href)};
    await openStore(process.argv[1]);
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const flags = ['--conditions=@peerai/source', '--input-type=module', '--eval', owner];
  const running = spawn(process.execPath, [...flags, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(running, 'close');
  await once(running.stdout, 'data');
  const refusal = { code: 'STORE_LOCKED', message: expect.stringContaining(path) };
  await expect(openStore(path)).rejects.toMatchObject(refusal);
  running.kill('SIGKILL');
  await ended;
  await (await openStore(path)).close();
});
