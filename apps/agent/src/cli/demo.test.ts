import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { ended, homes, start } from '../../test/cli.ts';
import { curveOf, sparkOf, spirals } from './commands/demo-data.ts';

/** Two or three agents that start at once; it costs time only when something is wrong. */
const patienceMs = 90_000;

const folders = homes();
afterAll(() => folders.remove());

const model = fileURLToPath(new URL('../../../../packages/nn-engine/assets/nano.bin', import.meta.url));

test.skipIf(!existsSync(model))(
  'the demo pairs two peers, asks across and leaves a signed receipt',
  { timeout: 2 * patienceMs },
  async () => {
    const { code, stdout, stderr } = await ended(start(['demo', 'chat']), patienceMs);
    expect(stderr).toMatch(/study-pc · (?:direct|relayed) · signed ✓/);
    expect(stderr).toContain('✓ 1 receipt');
    expect(stdout.toLowerCase()).toContain('peerai');
    expect(code).toBe(0);
  },
);

test('three peers train one model, and each log states every round', { timeout: 2 * patienceMs }, async () => {
  const { code, stdout, stderr } = await ended(start(['demo', 'train', '--rounds', '6', '--json']), patienceMs);
  expect(code, stderr).toBe(0);
  const told = JSON.parse(stdout) as Record<'peers', { first: { loss: number }; now: { loss: number } }[]>;
  expect(told).toMatchObject({ rounds: 6, sameModel: true, losses: expect.objectContaining({ length: 7 }) });
  expect(told.peers).toMatchObject(
    ['study-pc', 'laptop', 'phone'].map((name) => ({ name, stated: 6, verified: true })),
  );
  for (const { first, now } of told.peers) expect(now.loss).toBeLessThan(first.loss / 2);
});

test('an interrupted demo leaves neither processes nor folders behind', { timeout: 2 * patienceMs }, async () => {
  const folder = folders.make();
  mkdirSync(folder, { recursive: true });
  const child = start(['demo', 'train'], { env: { TMPDIR: folder } });
  await vi.waitFor(() => expect(child.told.stderr).toContain('Each has 300 points'), { timeout: patienceMs });
  const [home = ''] = readdirSync(folder).filter((name) => name.startsWith('peerai-demo-'));
  expect(readdirSync(join(folder, home)).toSorted()).toEqual(['laptop', 'phone', 'study-pc']);
  child.kill('SIGINT');
  expect(await ended(child)).toMatchObject({ code: 130 });
  expect(readdirSync(folder).filter((name) => name.startsWith('peerai-demo-'))).toEqual([]);
});

test('a curve is drawn from 0 to the greatest, with no more columns than there is room', () => {
  expect(sparkOf([8, 4, 1, 0])).toBe('█▅▂▁');
  expect(sparkOf(Array.from({ length: 500 }, (_, index) => 500 - index))).toHaveLength(40);
  const lines = curveOf([2, 1, 0.125], 60, 8);
  expect(lines).toHaveLength(8);
  expect(lines[0]).toBe('  2.00 █');
  expect(lines[3]?.trim()).toBe('█');
  expect(lines[4]?.trim()).toBe('██');
  expect(lines[7]).toBe('     0 ██▄');
  expect(curveOf([])).toEqual([]);
});

test('points of a spiral follow from the seed, half of each', () => {
  const rows = spirals(20, 3).trim().split('\n').slice(1);
  expect(rows.filter((row) => row.endsWith(',one'))).toHaveLength(10);
  expect(spirals(20, 3)).toBe(spirals(20, 3));
  expect(spirals(20, 3)).not.toBe(spirals(20, 4));
});
