import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { homes, peerai, up } from '../../test/cli.ts';

/** Files that a process may load, with some room above what it does load: what is measured in seconds elsewhere is held here by counting. */
const modulesMax = { help: 8, thin: 110, up: 2_000 };
/** What an agent needs only when somebody asks for it. */
const later = [
  '@nestjs/swagger',
  'es-toolkit',
  'swagger-ui-dist',
  'js-yaml',
  'ajv',
  'yaml',
  '@peculiar/x509',
  'prom-client',
  '@libp2p/mdns',
  'onnxruntime-node',
  'node-llama-cpp',
  'ollama',
  'yjs',
  'lib0',
];

const folders = homes();
afterAll(() => folders.remove());

/** Where the modules of a process go, and the settings that send them there. */
function watched(home: string) {
  const file = join(home, 'modules');
  const hook = new URL('../../test/loaded-modules.ts', import.meta.url).href;
  mkdirSync(home, { recursive: true });
  return {
    env: { NODE_OPTIONS: `--import=${hook}`, PEERAI_TEST_MODULES: file },
    files: () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((url) => url.startsWith('file:')),
  };
}
const packagesOf = (files: readonly string[]): Set<string | undefined> =>
  new Set(files.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]));

test('help reads the table of verbs and nothing else', async () => {
  const home = folders.make();
  const { env, files } = watched(home);
  expect((await peerai(['--help'], { home, env })).code).toBe(0);
  expect(files().length).toBeLessThanOrEqual(modulesMax.help);
});

test.each(['status', 'models', 'ledger tail', 'env openai', 'open --url', 'down'])(
  '%s loads what a request takes, and no part of an agent',
  async (words) => {
    const home = folders.make();
    const { env, files } = watched(home);
    expect((await peerai(words.split(' '), { home, env })).code).toBe(3);
    expect(files().length).toBeLessThanOrEqual(modulesMax.thin);
  },
);

describe('up', () => {
  test('loads what only some agents need when it is needed', { timeout: 30_000 }, async () => {
    const home = folders.make();
    const { env, files } = watched(home);
    const agent = await up(home, { env: { ...env, PEERAI_LLM__ENGINES: 'nano' } });
    expect((await agent.end()).code).toBe(0);
    const packages = packagesOf(files());
    expect(packages).toContain('@nestjs/core');
    expect(later.filter((name) => packages.has(name))).toEqual([]);
    expect(files().length).toBeLessThanOrEqual(modulesMax.up);
  });

  test('loads the docs when they are asked for', { timeout: 30_000 }, async () => {
    const home = folders.make();
    const { env, files } = watched(home);
    const agent = await up(home, { env });
    const authorization = `Bearer ${readFileSync(join(home, 'token'), 'utf8').trim()}`;
    const answers = await Promise.all(
      ['/docs-json', '/docs'].map((path) => fetch(`${agent.info.api}${path}`, { headers: { authorization } })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await answers[0]?.json()).toMatchObject({ paths: { '/api/v1/node': {} } });
    expect((await agent.end()).code).toBe(0);
    expect(packagesOf(files())).toContain('@nestjs/swagger');
  });

  test('keeps the young part of its heap small', { timeout: 30_000 }, async () => {
    const agent = await up(folders.make());
    const words = readFileSync(`/proc/${agent.info.pid}/cmdline`, 'utf8').split('\0');
    expect(words.filter((word) => word.startsWith('--max-semi-space-size='))).toHaveLength(1);
    await agent.end();
    const own = await up(folders.make(), { env: { NODE_OPTIONS: '--max-semi-space-size=8' } });
    expect(readFileSync(`/proc/${own.info.pid}/cmdline`, 'utf8')).not.toContain('semi-space');
    await own.end();
  });
});
