import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex, utf8 } from '@peerai/core-protocol';
import { nodeRandom as random } from '@peerai/platform/node';
import { afterEach, expect, test, vi } from 'vitest';
import { createLetterAgents } from '../test/letter-agent.ts';
import { relayIn, type Running } from '../test/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'peerai-relay-mailbox-'));
const agents = createLetterAgents(folder);
const agent = (name: string, seed: Uint8Array, relay: string, knows: readonly string[] = []) =>
  agents.agent(name, seed, { relays: [relay], knows });
let running: Running | undefined;

afterEach(async () => {
  await agents.stopAll();
  if (running !== undefined) await kill(running);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

async function kill({ child }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

const hex = (text: string): string => toHex(utf8(text));
const soon = { timeout: 20_000, interval: 50 };

test('a letter lies at the relay through kill -9, and its receiver finds three in order, once, with their sender gone', async () => {
  const home = join(folder, 'relay');
  running = await relayIn(home);
  const port = new URL(running.ready.http).port;
  const tcp = running.ready.addresses.find((one) => !one.includes('/ws')) ?? '';
  const tcpPort = /tcp\/(\d+)/u.exec(tcp)?.[1] ?? '';
  const [seedA, seedB] = [random.bytes(32), random.bytes(32)];
  const b = await agent('b', seedB, tcp);
  await vi.waitFor(() => expect(b.mailbox.places()).toEqual([tcp]), soon);
  const a = await agent('a', seedA, tcp, b.addresses);
  await vi.waitFor(() => expect(a.mailbox.records.get(b.peer)?.mailboxes).toEqual([tcp]), soon);
  await b.stop();
  const secrets = ['the first plain text', 'the second plain text', 'the third plain text'];
  for (const payload of secrets) await a.messenger.send({ to: b.peer, kind: 'text', payload });
  const stats = async (of: Running) => (await (await fetch(`${of.ready.http}/stats`)).json()) as { letters: number };
  const first = running;
  await vi.waitFor(async () => expect(await stats(first)).toMatchObject({ letters: 3 }), soon);
  const metrics = await (await fetch(`${first.ready.http}/metrics`)).text();
  for (const line of ['letters 3', 'mailboxes 2']) expect(metrics).toMatch(new RegExp(`^peerai_relay_${line}$`, 'm'));
  expect(metrics).toMatch(/^peerai_relay_letter_bytes [1-9]\d+$/m);
  await a.stop();
  await kill(running);
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const kept = files.map((one) => readFileSync(join(one.parentPath, one.name)).toString('latin1')).join('\n');
  for (const secret of secrets) expect(kept).not.toContain(secret);
  for (const secret of secrets) expect(first.said.stderr).not.toContain(secret);
  expect(kept).toContain(b.peer);
  running = await relayIn(home, '--port', port, '--tcp-port', tcpPort);
  const second = running;
  expect(await stats(second)).toMatchObject({ letters: 3 });
  const again = await agent('b', seedB, tcp);
  await vi.waitFor(async () => expect(await again.texts()).toHaveLength(3), soon);
  expect(await again.texts()).toEqual(secrets.map(hex));
  const back = await agent('a', seedA, tcp);
  await vi.waitFor(async () => expect(await back.messenger.waiting()).toBe(0), soon);
  expect((await back.messenger.outcomes()).map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered']);
  expect(await again.texts()).toHaveLength(3);
}, 90_000);
