import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { homes, peerai, up } from '../../test/cli.ts';

/** What a process may load, with some room above what it does load: what is measured in seconds elsewhere is held here by counting. */
const modulesMax = { help: 10, thin: 110, up: 2_000 };
/** The same in files, of which one holds many modules. */
const filesMax = { thin: 30, up: 200 };
/** What an agent needs only when somebody asks for it. (ajv lies in Fastify's file, unread by V8 until a schema is compiled, which none is.) */
const later = [
  '@nestjs/swagger',
  'es-toolkit',
  'swagger-ui-dist',
  'js-yaml',
  'yaml',
  '@peculiar/x509',
  'prom-client',
  '@libp2p/mdns',
  'onnxruntime-node',
  'node-llama-cpp',
  'ollama',
  'yjs',
  'lib0',
  'papaparse',
];

const folders = homes();
afterAll(() => folders.remove());

/** Where the files of a process are written down, and the settings that make it write. */
function watched(home: string) {
  const file = join(home, 'modules');
  const hook = new URL('../../test/loaded-modules.ts', import.meta.url).href;
  mkdirSync(home, { recursive: true });
  const files = (): readonly string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((url) => url.startsWith('file:'))
      .map((url) => fileURLToPath(url));
  return {
    env: { NODE_OPTIONS: `--import=${hook}`, PEERAI_TEST_MODULES: file },
    files,
    modules: () => files().flatMap(modulesOf),
  };
}
/** A file of the built program holds the modules that its map names. */
function modulesOf(file: string): readonly string[] {
  if (!existsSync(`${file}.map`) || !file.includes('/dist/program/')) return [file];
  return (JSON.parse(readFileSync(`${file}.map`, 'utf8')) as { readonly sources: readonly string[] }).sources;
}
const packagesOf = (modules: readonly string[]): Set<string | undefined> =>
  new Set(modules.map((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]));

test('help reads the table of verbs and nothing else', async () => {
  const home = folders.make();
  const { env, modules } = watched(home);
  expect((await peerai(['--help'], { home, env })).code).toBe(0);
  expect(modules().length).toBeLessThanOrEqual(modulesMax.help);
});

test.each(['status', 'models', 'ledger tail', 'env openai', 'open --url', 'down'])(
  '%s loads what a request takes, and no part of an agent',
  async (words) => {
    const home = folders.make();
    const { env, files, modules } = watched(home);
    expect((await peerai(words.split(' '), { home, env })).code).toBe(3);
    expect(modules().length).toBeLessThanOrEqual(modulesMax.thin);
    expect(files().length).toBeLessThanOrEqual(filesMax.thin);
  },
);

describe('up', () => {
  test('loads what only some agents need when it is needed', { timeout: 30_000 }, async () => {
    const home = folders.make();
    const { env, files, modules } = watched(home);
    const agent = await up(home, { env: { ...env, PEERAI_LLM__ENGINES: 'nano' } });
    expect((await agent.end()).code).toBe(0);
    const packages = packagesOf(modules());
    expect(packages).toContain('@nestjs/core');
    expect(later.filter((name) => packages.has(name))).toEqual([]);
    expect(modules().length).toBeLessThanOrEqual(modulesMax.up);
    expect(files().length).toBeLessThanOrEqual(filesMax.up);
  });

  test('loads the docs when they are asked for', { timeout: 30_000 }, async () => {
    const home = folders.make();
    const { env, modules } = watched(home);
    const agent = await up(home, { env });
    const authorization = `Bearer ${readFileSync(join(home, 'token'), 'utf8').trim()}`;
    const answers = await Promise.all(
      ['/docs-json', '/docs'].map((path) => fetch(`${agent.info.api}${path}`, { headers: { authorization } })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await answers[0]?.json()).toMatchObject({ paths: { '/api/v1/node': {} } });
    expect((await agent.end()).code).toBe(0);
    expect(packagesOf(modules())).toContain('@nestjs/swagger');
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
