import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelsView } from '@peerai/peer/control';
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { openChromium } from './browser.ts';

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
  const browser = await openChromium();
  try {
    const page = await browser.newPage();
    // Vite puts the page's parts together when they are asked for first.
    page.setDefaultTimeout(60_000);
    await page.goto(`${pages}/#token=${token}`);
    // The first that names it is seen, not the title of something in the map.
    await page.getByText('study-pc', { exact: true }).first().waitFor();
    await page
      .getByRole('region', { name: 'Devices' })
      .getByRole('button', { name: /study-pc/ })
      .click();
    // Strict mode mounts everything twice there: a sheet stays open nevertheless.
    await page.getByRole('dialog', { name: 'study-pc' }).getByRole('button', { name: 'What can it do?' }).click();
    await page.getByRole('dialog').getByText('task_delegate').waitFor();
    expect(new URL(page.url()).hash).toBe('');
    await writeTogether(page, pages);
  } finally {
    await browser.close();
  }
}, 180_000);

/** A group and a document of both devices, made and written on the pages. */
async function writeTogether(page: Page, pages: string): Promise<void> {
  await page.goto(`${pages}/groups`);
  await page.getByRole('button', { name: 'New group' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('desk');
  await page.getByRole('checkbox', { name: 'study-pc' }).check();
  await page.getByRole('button', { name: 'Make the group' }).click();
  await page.getByRole('textbox', { name: 'Write to desk' }).fill('hello');
  await page.keyboard.press('Enter');
  await page.getByText('it has arrived').waitFor();
  await page.goto(`${pages}/documents`);
  await page.getByRole('button', { name: 'New document' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('list');
  await page.getByRole('button', { name: 'A group' }).click();
  await page.getByRole('button', { name: 'Make the document' }).click();
  await page.getByRole('textbox', { name: 'Key' }).fill('milk');
  await page.getByRole('textbox', { name: 'Value' }).fill('2');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('button', { name: 'Edit milk' }).waitFor();
  await page.getByText('Shared by the members of the group desk').waitFor();
}
