import { readFileSync, writeFileSync } from 'node:fs';
import { configJsonSchema, directories } from '@peerai/platform/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testEdge, type TestEdge } from '../test/edge.ts';
import { readmeBlocks, withBlocks } from '../test/readme-blocks.ts';

const file = new URL('../README.md', import.meta.url);
const text = readFileSync(file, 'utf8');

let world: TestEdge;
beforeAll(async () => {
  world = await testEdge();
});
afterAll(() => world.stop());

test('commands, settings and exit statuses stand in the README as the program has them', () => {
  // `PEERAI_WRITE_README=1 vitest run apps/agent/src/readme.test.ts` writes them anew.
  if (process.env['PEERAI_WRITE_README'] === '1') writeFileSync(file, withBlocks(text));
  expect(readFileSync(file, 'utf8')).toBe(withBlocks(text));
});

test('no section of the configuration is left out', () => {
  const { properties } = configJsonSchema() as { properties: object };
  const settings = readmeBlocks['settings']?.() ?? '';
  for (const section of Object.keys(properties)) expect(settings).toContain(`\`${section}.`);
});

test.runIf(process.platform === 'linux')('the page about deploying says where each file lies', () => {
  const page = readFileSync(new URL('../../../docs/deployment.md', import.meta.url), 'utf8');
  const { config, state, files } = directories({ env: { HOME: '~' } });
  const places = [...Object.values(files), `${config}/token`, `${state}/agent.json`, `${state}/peerai.out`];
  expect(places.filter((place) => !page.includes(`\`${place}\``))).toEqual([]);
});

test('every control route stands in the README, and the README names no other', async () => {
  const { paths } = (await (await world.control('GET', '/docs-json')).json()) as { paths: Record<string, object> };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  const named = [...text.matchAll(/`((?:GET|POST|PATCH|DELETE) \/api\/(?:v1|network)\/[^`]+)`/g)].map(
    ([, route]) => route,
  );
  expect(named.toSorted()).toEqual(routes.toSorted());
});
