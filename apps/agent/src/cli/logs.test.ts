import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger } from '@peerai/platform/node';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { ended, homes, peerai, start, up } from '../../test/cli.ts';

const folders = homes();
afterAll(() => folders.remove());
/** Homes of agents that no test holds as a child: a test that fails leaves none behind. */
const detachedHomes: string[] = [];
afterEach(async () => {
  for (const home of detachedHomes.splice(0)) await peerai(['down'], { home });
});
async function detach(home: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  detachedHomes.push(home);
  return peerai(['up', '--detach', ...args], { home, env });
}

function homeWith(settings: string): string {
  const home = folders.make();
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'peerai.yaml'), settings);
  return home;
}
const filesOf = (home: string): readonly string[] =>
  readdirSync(home)
    .filter((name) => name.startsWith('peerai.log'))
    .toSorted();

describe('logs', () => {
  test('reads the file that the configuration names, while the agent runs and after', { timeout: 30_000 }, async () => {
    const elsewhere = folders.make();
    const home = homeWith(`logging:\n  file: ${elsewhere}/own.log\n`);
    const agent = await up(home);
    expect(agent.info).toMatchObject({ log: join(elsewhere, 'own.log') });
    expect((await agent.run(['logs'])).stdout).toContain('agent-ready');
    await agent.end();
    const told = await agent.json<{ file: string; lines: { text: string }[] }>(['logs']);
    expect(told.file).toBe(join(elsewhere, 'own.log'));
    expect(told.lines.map(({ text }) => `${text}\n`).join('')).toBe(readFileSync(told.file, 'utf8'));
    expect(filesOf(home)).toEqual([]);
  });

  test('reads the file of an agent that was told another one', { timeout: 30_000 }, async () => {
    const home = folders.make();
    const agent = await up(home, { env: { PEERAI_LOGGING__FILE: `${folders.make()}/told.log` } });
    // Not told to `logs` itself.
    expect((await agent.run(['logs'])).stdout).toContain('agent-ready');
    await agent.end();
  });

  test('says where there would be one', async () => {
    const home = homeWith(`logging:\n  file: ${folders.make()}/none.log\n`);
    const { code, stderr } = await peerai(['logs'], { home });
    expect([code, stderr.includes('none.log')]).toEqual([1, true]);
  });

  test('-f goes on through files that are put aside, without losing a line', { timeout: 30_000 }, async () => {
    const file = join(folders.make(), 'own.log');
    const home = homeWith(`logging:\n  file: ${file}\n`);
    const logger = createLogger({ level: 'info', format: 'json', file, rotate: { size: 500, keep: 50 } });
    logger.info('line-0');
    const follower = start(['logs', '-f', '--json'], { home });
    await vi.waitFor(() => expect(follower.told.stdout).toContain('line-0'), { timeout: 10_000 });
    const count = 60;
    for (let n = 1; n < count; n += 1) logger.info(`line-${n}`);
    await vi.waitFor(() => expect(follower.told.stdout).toContain(`line-${count - 1}\\"`), { timeout: 10_000 });
    logger.info('line-last');
    await vi.waitFor(() => expect(follower.told.stdout).toContain('line-last'), { timeout: 10_000 });
    const lines = follower.told.stdout.trimEnd().split('\n');
    const said = lines.map((line) => JSON.parse(line) as { readonly v: number; readonly text: string });
    expect(said.every(({ v }) => v === 1)).toBe(true);
    const told = said.flatMap(({ text }) => [...text.matchAll(/"line-(\d+)"/g)].map(([, n]) => Number(n)));
    expect(told).toEqual(Array.from({ length: count }, (_, n) => n));
    follower.kill('SIGINT');
    await ended(follower);
    logger.close();
  });
});

describe('a detached agent', () => {
  /** Nothing listens there: each costs a line in the log. */
  const relays = Array.from({ length: 12 }, (_, n) => `/ip4/127.0.0.1/tcp/${n + 1}`).join(',');

  test('puts its log aside at logging.rotate.size and keeps logging.rotate.keep', { timeout: 60_000 }, async () => {
    const home = folders.make();
    const bytesMax = 500;
    const env = {
      PEERAI_NETWORK__RELAYS: relays,
      PEERAI_LOGGING__ROTATE__SIZE: `${bytesMax}B`,
      PEERAI_LOGGING__ROTATE__KEEP: '2',
    };
    const told = await detach(home, ['--json'], env);
    expect([told.code, told.stderr]).toEqual([0, '']);
    const names = ['peerai.log', 'peerai.log.1', 'peerai.log.2'];
    await vi.waitFor(() => expect(filesOf(home)).toEqual(names), { timeout: 10_000 });
    expect((await peerai(['logs'], { home })).stdout).toContain('"event":');
    expect((await peerai(['down'], { home })).code).toBe(0);
    expect(filesOf(home)).toEqual(names);
    for (const name of names) {
      const { size, mode } = statSync(join(home, name));
      expect([size <= bytesMax, mode & 0o777]).toEqual([true, 0o600]);
    }
  });

  test('writes to logging.file where that is set, and says so', { timeout: 60_000 }, async () => {
    const file = join(folders.make(), 'own.log');
    const home = homeWith(`logging:\n  file: ${file}\n`);
    const told = await detach(home, []);
    expect(told.stdout).toContain(`log        ${file}`);
    expect((await peerai(['logs'], { home })).stdout).toContain('agent-ready');
    expect((await peerai(['down'], { home })).code).toBe(0);
    expect(filesOf(home)).toEqual([]);
  });

  test('that cannot start says why, of this start alone', { timeout: 60_000 }, async () => {
    const home = homeWith('');
    for (const bad of ['first', 'second']) {
      const { code, stderr } = await peerai(['up', '--detach'], { home, env: { PEERAI_LOGGING__LEVEL: bad } });
      expect([code, stderr.includes('logging.level')]).toEqual([9, true]);
    }
    expect(readFileSync(join(home, 'peerai.out'), 'utf8').match(/logging\.level/g)).toHaveLength(1);
  });
});
