import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { startTestnet, type RunningAgent, type Testnet } from '@peerai/testnet';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

/** A text that nothing else contains: whoever's memory or log holds it has seen the question. */
const canary = `canary-${crypto.randomUUID()}`;

const logs = new Map<string, string>();
let testnet: Testnet;
let provider: RunningAgent;
let consumer: RunningAgent;
beforeAll(async () => {
  // Others are told an address where nobody is (RFC 5737), and no direct path may be made: only the relay is left.
  const env = {
    PEERAI_NETWORK__EXTERNAL_ADDRESS: '192.0.2.1:4001',
    PEERAI_NETWORK__TRANSPORTS__WEBRTC: 'false',
    PEERAI_LOGGING__LEVEL: 'debug',
  };
  const onLog = (line: string): void => {
    const [name = ''] = line.split(' ');
    logs.set(name, `${logs.get(name) ?? ''}${line}\n`);
  };
  testnet = await startTestnet({
    agents: 2,
    relays: 1,
    engine: 'scripted',
    engines: ['scripted', 'nano'],
    env,
    names: ['study-pc', 'laptop'],
    onLog,
  });
  const [first, second] = testnet.agents;
  if (first === undefined || second === undefined) throw new Error('two agents were asked for');
  [provider, consumer] = [first, second];
}, 90_000);
afterAll(() => testnet?.stop(), 30_000);

const ask = (text: string, stream: boolean): Promise<Response> =>
  fetch(`${consumer.info.api}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'echo@study-pc', stream, messages: [{ role: 'user', content: text }] }),
    signal: AbortSignal.timeout(20_000),
  });

test('two agents that cannot reach each other talk through the relay, and the answer says so', async () => {
  const response = await ask(canary, false);
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: `echo: ${canary}` } }] });
  expect(response.headers.get('x-peerai-path')).toBe('relayed');
  const relayed = async (): Promise<number> => {
    const { http } = testnet.relays[0]?.info ?? { http: '' };
    return ((await (await fetch(`${http}/stats`)).json()) as { reservations: number }).reservations;
  };
  expect(await relayed()).toBe(2);
}, 30_000);

test('the question is in the logs of nobody, and in the memory of the two agents but not of the relay', async () => {
  for (let count = 0; count < 20; count += 1) await (await ask(`${canary} ${'again '.repeat(50)}`, true)).text();
  const relayPid = testnet.relays[0]?.info.pid ?? 0;
  const counts = memoryOf(provider.info.pid);
  if (counts === undefined) {
    console.warn('skipped: this system does not let one process read the memory of another');
    return;
  }
  // That it is found where it must be shows that the search finds it.
  expect(counts).toBeGreaterThan(0);
  expect(memoryOf(consumer.info.pid)).toBeGreaterThan(0);
  expect(memoryOf(relayPid)).toBe(0);
  for (const [name, text] of logs) expect([name, text.includes(canary)]).toEqual([name, false]);
  expect(logs.size).toBeGreaterThanOrEqual(2);
}, 60_000);

test('an agent finds a relay by its web address alone', async () => {
  const { http, peerId } = testnet.relays[0]?.info ?? { http: '', peerId: '' };
  const other = await startTestnet({ agents: 1, relays: 0, engine: 'scripted', env: { PEERAI_NETWORK__RELAYS: http } });
  try {
    await vi.waitFor(
      async () => {
        const { relays } = (await other.agents[0]?.client.node()) ?? { relays: [] };
        expect(relays).toMatchObject([{ peerId, state: 'connected' }]);
      },
      { timeout: 15_000, interval: 200 },
    );
  } finally {
    await other.stop();
  }
}, 60_000);

/** How often the canary stands in a process's writable memory, as UTF-8 or as two bytes a letter; `undefined` where it cannot be read. */
function memoryOf(pid: number): number | undefined {
  const needles = [Buffer.from(canary), Buffer.from(canary, 'utf16le')];
  let file: number;
  try {
    file = openSync(`/proc/${pid}/mem`, 'r');
  } catch {
    return undefined;
  }
  try {
    const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
    return maps.reduce((sum, line) => sum + regionCount(file, line, needles), 0);
  } finally {
    closeSync(file);
  }
}

const stepBytes = 4 * 1024 * 1024;

function regionCount(file: number, line: string, needles: readonly Buffer[]): number {
  const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
  if (from === undefined || to === undefined) return 0;
  const end = Number(`0x${to}`);
  const overlap = canary.length * 2;
  const chunk = Buffer.alloc(stepBytes + overlap);
  let count = 0;
  for (let at = Number(`0x${from}`); at < end; at += stepBytes) {
    const bytes = chunk.subarray(0, Math.min(chunk.length, end - at));
    try {
      const seen = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, at));
      for (const needle of needles) if (seen.includes(needle)) count += 1;
    } catch {
      // A page that went away while we looked.
    }
  }
  return count;
}
