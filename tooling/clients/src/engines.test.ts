import { execFile } from 'node:child_process';
import { type AddressInfo, connect, createServer } from 'node:net';
import { promisify } from 'node:util';
import { nobleCrypto, type PeerId } from '@peerai/core-protocol';
import { remoteModel } from '@peerai/llm-bridge/share';
import { startWireEngine, type WireServer } from '@peerai/llm-bridge/testing';
import { pair } from '@peerai/testnet';
import { createAgentNode } from '@peerai/transport/node';
import { testDeps } from '@peerai/transport/testing';
import { isTaken } from '@peerai/config/free-port';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openGuest } from './guest.ts';
import { agentProgram, type OwnAgent, ownAgents } from './own-agents.ts';

const run = promisify(execFile);
const usualPorts = [11_434, 8_000, 8_080, 1_234];
const taken = (await Promise.all(usualPorts.map(async (port) => ((await isTaken(port)) ? [port] : [])))).flat();
/** What a wire engine's model `plain`, and the only model of an old llama.cpp, answer. */
const answer = 'Grüße, 世界 👋🏽 and more';
/** How often `auto` looks again, milliseconds. */
const lookAgainMs = 30_000;

const agents = ownAgents();
const ended: (() => unknown)[] = [];
let early: OwnAgent;
let earlyMs: number;
let host: OwnAgent;
let friend: OwnAgent;

const settings = (name: string, api: { readonly port: number }) => ({
  network: { name, listen_address: '127.0.0.1:0', discovery: { mdns: false } },
  api,
});

/** A true engine's server at the port where people have it. */
async function engineAt(port: number, starting: Promise<WireServer>): Promise<WireServer> {
  const server = await starting;
  const target = Number(new URL(server.url).port);
  const door = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => void [near.destroy(), far.destroy()]);
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => void door.listen(port, '127.0.0.1', resolve));
  expect((door.address() as AddressInfo).port).toBe(port);
  ended.push(() => {
    door.close();
    return server.stop();
  });
  return server;
}

async function said(response: Response): Promise<string> {
  expect(response.status).toBe(200);
  const events = (await response.text()).split('\n').filter((line) => line.startsWith('data: {'));
  expect(events.length).toBeGreaterThan(5);
  return events
    .map(
      (line) =>
        JSON.parse(line.slice(6)) as { readonly choices: readonly { readonly delta: { readonly content?: string } }[] },
    )
    .map(({ choices }) => choices[0]?.delta.content ?? '')
    .join('');
}

const ask = ({ info }: OwnAgent, model: string): Promise<Response> =>
  fetch(`${info.api}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  });

const status = async ({ info }: OwnAgent): Promise<string> =>
  (await run(process.execPath, [agentProgram, 'status', '--home', info.home])).stdout;

describe.skipIf(taken.length > 0)(
  `peerai up with no engine configured${taken.length > 0 ? ` (skipped: another program has port ${taken.join(', ')})` : ''}`,
  () => {
    afterAll(async () => {
      await agents.stop();
      await Promise.all(ended.map((end) => end()));
    }, 20_000);

    test('takes the embedded guide when nothing is found, and says so', async () => {
      early = await agents.start('early', settings('early', { port: 0 }));
      earlyMs = performance.now();
      const { engines } = await early.client.node();
      expect(engines.filter(({ state }) => state === 'found')).toMatchObject([{ kind: 'nano', models: ['nano'] }]);
      expect(
        engines.filter(({ state }) => state === 'absent').map(({ url }) => Number(new URL(url ?? '').port)),
      ).toEqual(usualPorts);
      expect(await status(early)).toMatch(/^engine {4}nano: built in, 1 model$/m);
      const nano = (await early.client.doctor()).checks.find(({ id }) => id === 'engine');
      expect(nano).toMatchObject({ state: 'look', cause: 'Only the built-in nano answers.' });
    }, 30_000);

    describe('where Ollama and llama.cpp run', () => {
      beforeAll(async () => {
        await Promise.all([
          engineAt(11_434, startWireEngine('ollama')),
          engineAt(8_000, startWireEngine('completion')),
        ]);
        // Its API stands where an engine is looked for.
        friend = await agents.start('friend', { ...settings('friend', { port: 8_080 }), llm: { engines: ['nano'] } });
        host = await agents.start('host', settings('host', { port: 0 }));
        await pair(host, friend);
      }, 60_000);

      test('finds both, takes no guide, and says so', async () => {
        const { engines } = await host.client.node();
        expect(engines.filter(({ state }) => state === 'found').map(({ kind, url }) => `${kind} ${url}`)).toEqual([
          'ollama http://127.0.0.1:11434',
          'openai-compatible http://127.0.0.1:8000',
        ]);
        const text = await status(host);
        expect(text).toMatch(/^engine {4}ollama: 9 models at http:\/\/127\.0\.0\.1:11434$/m);
        expect(text).toMatch(/^engine {4}openai-compatible: 1 model at http:\/\/127\.0\.0\.1:8000$/m);
      });

      test.each(['plain:latest@host', 'old-7b.Q4@host'])(
        'a paired device that may chat streams an answer of %s',
        async (model) => {
          expect(await said(await ask(friend, model))).toBe(answer);
        },
      );

      test('refuses an address where PeerAI itself answers, and doctor says why', async () => {
        const { checks } = await host.client.doctor();
        const loop = checks.find(({ title }) => title.includes('http://127.0.0.1:8080'));
        expect(loop).toMatchObject({ state: 'look', cause: expect.stringContaining('ENGINE_LOOP') });
      });

      describe('a stranger', () => {
        test('is refused without a link', async () => {
          const deps = testDeps();
          const node = await createAgentNode(deps, { listen: [], relays: [], bootstrap: [] });
          ended.push(() => node.stop());
          await node.start();
          const card = {
            name: 'plain:latest',
            engine: 'ollama',
            contextTokensMax: 0,
            memoryBytes: 0,
            loaded: true,
            deterministic: false,
            fits: true,
          };
          const world = { clock: deps.clock, random: deps.random, crypto: nobleCrypto, network: node.network };
          const model = remoteModel(world, { peer: host.info.peerId as PeerId, card, addresses: host.info.addresses });
          const parts = model.generate(
            { messages: [{ role: 'user', text: 'hello' }] },
            { maxTokens: 8 },
            AbortSignal.timeout(5_000),
          );
          const first = parts[Symbol.asyncIterator]().next();
          await expect(first).rejects.toMatchObject({ code: 'NOT_GRANTED' });
        });

        test('is served with one', async () => {
          const { link } = await host.client.share({ model: 'plain:latest' });
          const guest = await openGuest(link);
          ended.push(() => guest.stop());
          expect(await guest.guest.connect(AbortSignal.timeout(5_000))).toMatchObject({ models: ['plain:latest'] });
          expect(await guest.ask('hello')).toEqual({ text: answer, code: undefined });
          await vi.waitFor(async () => expect((await host.client.ledgerHead()).size).toBeGreaterThan(0));
        });
      });

      test('finds an engine that started after it, within half a minute', async () => {
        const leftMs = lookAgainMs + 5_000 - (performance.now() - earlyMs);
        const found = async (): Promise<readonly string[]> =>
          (await early.client.node()).engines.filter(({ state }) => state === 'found').map(({ kind }) => kind);
        await vi.waitFor(async () => expect(await found()).toEqual(['ollama', 'openai-compatible']), {
          timeout: Math.max(1_000, leftMs),
          interval: 250,
        });
        expect(await said(await ask(early, 'plain:latest'))).toBe(answer);
      }, 60_000);
    });
  },
);
