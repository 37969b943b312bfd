import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What the examples leave in the folder for such things. */
const leftovers = mkdtempSync(join(tmpdir(), 'peerai-readme-'));
const env = { ...process.env, TMPDIR: leftovers };

afterAll(() => rmSync(leftovers, { recursive: true }));

it('the example of the README runs and prints what is said there', { timeout: 30_000 }, () => {
  const [, code = ''] = /```ts\n(.*?)```/su.exec(readFileSync(`${root}/README.md`, 'utf8')) ?? [];
  const show = "console.log((await import('node:fs')).readFileSync(files.log, 'utf8'));";
  const args = ['--conditions=@peerai/source', '--input-type=module-typescript', '--eval', `${code}\n${show}`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8', timeout: 25_000 });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^message\/1\n/u);
  expect(stdout).toContain('"port":8100,"portFrom":"env PEERAI_API__PORT","created":true,"seed":"[redacted]"');
});

it('the built store runs as the source does', { timeout: 30_000 }, ({ skip }) => {
  if (!existsSync(`${root}/dist/node/store/writer.js`)) return skip('nothing is built here');
  const code = `
    import { openStore } from ${JSON.stringify(new URL('../dist/node/index.js', import.meta.url).href)};
    const store = await openStore(process.env.TMPDIR + '/peer.db');
    await store.commit([store.put('a', new Uint8Array([7]))]);
    console.log((await store.get('a'))[0]);
    await store.close();`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 25_000,
  });
  expect([stdout, stderr]).toEqual(['7\n', '']);
});

it('nothing a browser loads imports Node', () => {
  const files = ['src/index.ts', 'src/clock.ts', 'src/random.ts', 'src/config/units.ts'];
  for (const folder of ['src/browser', 'src/store']) {
    files.push(...readdirSync(`${root}/${folder}`).map((name) => `${folder}/${name}`));
  }
  for (const file of files.filter((name) => !name.endsWith('.test.ts'))) {
    const text = readFileSync(`${root}/${file}`, 'utf8');
    expect(text, file).not.toMatch(/from '(?:node:|\.\.?\/node\/|pino|yaml|env-paths)/u);
    expect(text, file).not.toMatch(/^export (?!type).*schema\.ts/mu);
  }
});
