import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelsView } from '@peerai/peer/control';
import { afterAll, expect, test } from 'vitest';

const children: ChildProcess[] = [];
const start = (script: string, args: readonly string[], cwd: string): ChildProcess => {
  const child = spawn(process.execPath, [script, ...args], { cwd, env: { ...process.env, TURBO_HASH: 'beside vite' } });
  children.push(child);
  return child;
};
afterAll(async () => {
  await Promise.all(
    children.map(async (child) => {
      const ended = new Promise((resolve) => void child.once('exit', resolve));
      if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    }),
  );
}, 30_000);

const require = createRequire(import.meta.url);
const dashboard = fileURLToPath(new URL('../../../apps/dashboard/', import.meta.url));
const vite = join(dirname(createRequire(join(dashboard, 'package.json')).resolve('vite/package.json')), 'bin/vite.js');

test('the dashboard that turbo run dev names is the laptop’s, and the model of the other agent answers there', async () => {
  start(vite, [], dashboard);
  const dev = start(join(dirname(require.resolve('@peerai/testnet/package.json')), 'dist/dev.js'), [], dashboard);
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    dev.stdout?.on('data', (part: Buffer) => {
      printed += part.toString();
      if (printed.includes('Ctrl-C ends everything')) resolve();
    });
    dev.once('exit', () => reject(new Error(`ended before it was ready: ${printed}`)));
  });
  const [, pages = '', token = ''] = /dashboard +(\S+)\/#token=(\S+)/.exec(printed) ?? [];
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const node = await fetch(`${pages}/api/v1/node`, { headers });
  expect([node.status, await node.json()]).toEqual([200, expect.objectContaining({ name: 'laptop' })]);
  // The page asks the default model first: that of the other agent.
  const { defaultModel, models } = (await (await fetch(`${pages}/api/v1/models`, { headers })).json()) as ModelsView;
  expect(models.find(({ name }) => name === defaultModel)).toMatchObject({ model: 'nano', peerName: 'study-pc' });
  const body = JSON.stringify({ model: defaultModel, messages: [{ role: 'user', content: 'what is peerai' }] });
  const answer = await fetch(`${pages}/v1/chat/completions`, { method: 'POST', headers, body });
  expect(answer.headers.get('x-peerai-path')).toMatch(/^(?:direct|relayed)$/);
  expect(await answer.text()).toContain('PeerAI');
}, 90_000);
