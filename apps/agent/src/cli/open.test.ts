import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createControlClient } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Agent, homes, up } from '../../test/cli.ts';

const folders = homes();
let agent: Agent;
beforeAll(async () => {
  agent = await up(folders.make());
});
afterAll(async () => {
  await agent?.end();
  folders.remove();
});

const token = (): string => readFileSync(join(agent.home, 'token'), 'utf8').trim();
const urlOf = async (...flags: string[]): Promise<URL> =>
  new URL((await agent.json<{ url: string }>(['open', '--url', ...flags])).url);

test('the address that open gives carries a code instead of the token, and the page gets the token for it once', async () => {
  const url = await urlOf();
  expect(url.href).not.toContain(token());
  const code = new URLSearchParams(url.hash.slice(1)).get('code') ?? '';
  const client = createControlClient({ baseUrl: url.origin });
  expect(await client.beginSession(code)).toEqual({ v: 1, token: token() });
  await expect(client.beginSession(code)).rejects.toMatchObject({ code: 'TOKEN_WRONG' });
});

test('so does the address of the docs', async () => {
  const url = await urlOf('--docs');
  expect(url.href).not.toContain(token());
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(303);
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(401);
});
