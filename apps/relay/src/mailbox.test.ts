import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIdentity, type PeerId, toHex, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { silentLogger as logger } from '@peerai/core-protocol/testing';
import { createMessenger, type PeerMessenger } from '@peerai/messaging';
import { type Mailbox, openMailbox } from '@peerai/messaging/mailbox';
import { nodeRandom as random, openStore, systemClock as clock } from '@peerai/platform/node';
import { createTestNodes } from '@peerai/transport/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { relayIn, type Running } from '../test/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'peerai-relay-mailbox-'));
const nodes = createTestNodes();
const endings: (() => Promise<void>)[] = [];
let running: Running | undefined;

afterEach(async () => {
  for (const end of endings.splice(0)) await end();
  await nodes.stopAll();
  if (running !== undefined) await kill(running);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

async function kill({ child }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

interface Agent {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
  readonly messenger: PeerMessenger;
  readonly mailbox: Mailbox;
  readonly texts: () => Promise<string[]>;
  readonly stop: () => Promise<void>;
}

/** A peer on a real node, with its messages in a file. */
async function agent(name: string, seed: Uint8Array, relay: string, knows: readonly string[] = []): Promise<Agent> {
  const node = await nodes.agent({ relays: [relay], bootstrap: knows }, { seed, isGranted: () => true });
  const store = await openStore(join(folder, `${name}.db`));
  const identity = createIdentity(crypto, seed);
  const world = { identity, crypto, clock, random, logger, network: node.network };
  const about = () => ({ name, agent: 'test/1' });
  const room = store.room('mailbox');
  const mailbox = await openMailbox({ ...world, store: room, isFriend: () => true, relays: () => [relay], about });
  const messenger = createMessenger({ ...world, store: store.room('messages'), depot: mailbox.depot });
  const texts = store.room('texts');
  const all = async () => (await Array.fromAsync(texts.range('', '\u{10ffff}'))).map(({ value }) => toHex(value));
  let count = (await all()).length;
  messenger.handle('text', async ({ payload }) => {
    count += 1;
    return [texts.put(String(count).padStart(6, '0'), utf8(String(payload)))];
  });
  const ending = new AbortController();
  await messenger.start(ending.signal);
  mailbox.start(messenger, ending.signal);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      ending.abort();
      await mailbox.stop();
      await messenger.stop();
      await node.stop();
      await store.close();
    })());
  endings.push(stop);
  return { peer: identity.peer, addresses: node.network.addresses(), messenger, mailbox, texts: all, stop };
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
