import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { startTestnet, type RunningAgent, type Testnet } from '@peerai/testnet';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const program = fileURLToPath(new URL('../../../apps/agent/dist/main.js', import.meta.url));
const words = 'one two three four five six seven eight nine ten '.repeat(6).trim();

let testnet: Testnet;
let provider: RunningAgent;
let consumer: RunningAgent;
beforeAll(async () => {
  const engines = ['scripted', 'nano'] as const;
  const names = ['study-pc', 'laptop'];
  testnet = await startTestnet({ agents: 2, relays: 1, engine: 'scripted', engines, env: {}, names });
  const [first, second] = testnet.agents;
  if (first === undefined || second === undefined) throw new Error('two agents were asked for');
  [provider, consumer] = [first, second];
}, 90_000);
afterAll(async () => {
  await provider?.child.stop();
  await consumer?.child.stop();
  await testnet?.stop();
}, 30_000);

/** Streams an answer from the consumer's gateway; `seen` is called with all text so far. */
async function stream(model: string, text: string, seen: (soFar: string) => void = () => undefined) {
  const response = await fetch(`${consumer.info.api}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: text }] }),
    signal: AbortSignal.timeout(30_000),
  });
  let raw = '';
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    raw += part;
    seen(textOf(raw));
  }
  return { path: response.headers.get('x-peerai-path'), text: textOf(raw), last: linesOf(raw).at(-1) ?? '', raw };
}
const linesOf = (raw: string): string[] =>
  raw
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6));
function textOf(raw: string): string {
  return linesOf(raw.slice(0, raw.lastIndexOf('\n') + 1))
    .filter((line) => line !== '[DONE]')
    .map(
      (line) =>
        (JSON.parse(line) as { choices?: { delta?: { content?: string } }[] }).choices?.[0]?.delta?.content ?? '',
    )
    .join('');
}
const isDirect = async (): Promise<void> => {
  await vi.waitFor(
    async () =>
      expect((await consumer.client.peers()).find(({ peerId }) => peerId === provider.info.peerId)?.path).toBe(
        'direct',
      ),
    { timeout: 15_000, interval: 100 },
  );
};
/** Runs the consumer's `peerai`; `told` grows while it runs. */
function peerai(...args: string[]) {
  const told = { stdout: '', stderr: '' };
  const child = spawn(process.execPath, [program, ...args, '--home', consumer.info.home]);
  child.stdin.end();
  child.stdout.setEncoding('utf8').on('data', (text: string) => (told.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told.stderr += text));
  const ended = new Promise<typeof told & { readonly code: number | null }>((resolve) => {
    child.once('close', (code) => resolve({ ...told, code }));
  });
  return { told, ended };
}

test('the relay is killed: a direct answer goes on, and so does the next one', async () => {
  await isDirect();
  let isKilled = false;
  const answer = await stream('echo-slow', words, (soFar) => {
    if (isKilled || soFar.length < 30) return;
    isKilled = true;
    void testnet.relays[0]?.child.kill();
  });
  expect(isKilled).toBe(true);
  expect(answer).toMatchObject({ path: 'direct', text: `echo: ${words}`, last: '[DONE]' });
  expect(await stream('echo', 'after the relay')).toMatchObject({
    path: 'direct',
    text: 'echo: after the relay',
    last: '[DONE]',
  });
}, 60_000);

test('the provider is killed in the middle of an answer: the text stays, the stream ends with a plain error', async () => {
  let isKilled = false;
  const long = words.repeat(4);
  const asked = peerai('run', 'echo-slow', long);
  const answer = await stream('echo-slow', long, (soFar) => {
    if (isKilled || soFar.length < 60 || asked.told.stdout.length < 20) return;
    isKilled = true;
    void provider.child.kill();
  });
  expect(isKilled).toBe(true);
  expect(`echo: ${long}`.startsWith(answer.text)).toBe(true);
  expect(answer.text.length).toBeGreaterThanOrEqual(60);
  expect(answer.raw).toMatch(/data: \{"error":\{"message":"[^"]+"/);
  expect(answer.raw).not.toContain('    at ');
  const { code, stdout, stderr } = await asked.ended;
  expect(`echo: ${long}`.startsWith(stdout.trim())).toBe(true);
  expect(stdout.length).toBeGreaterThan(10);
  expect(code).toBe(4);
  expect(stderr).toMatch(/\((?:PEER_LOST|PEER_UNREACHABLE|ANSWER_INTERRUPTED)\)/);
}, 60_000);

test('while it is away an answer is refused in a sentence, and its models are marked as offline', async () => {
  const { code, stderr } = await peerai('run', 'echo@study-pc', 'hi', '--timeout', '20').ended;
  expect([4, 7]).toContain(code);
  expect(stderr).toMatch(/\([A-Z_]+\)/);
}, 30_000);

test('the provider starts again as the same peer, still paired, and serves again', async () => {
  const before = provider.info.peerId;
  provider = await provider.restart();
  expect(provider.info.peerId).toBe(before);
  await vi.waitFor(async () => expect((await stream('echo', 'back again')).text).toBe('echo: back again'), {
    timeout: 20_000,
    interval: 250,
  });
  expect((await provider.client.verifyLedger()).ok).toBe(true);
}, 60_000);

test('the consumer is killed and starts again: its pairing and its receipts are there', async () => {
  const before = await consumer.client.verifyLedger();
  expect(before.receipts).toBeGreaterThan(1);
  await consumer.child.kill();
  consumer = await consumer.restart();
  const after = await consumer.client.verifyLedger();
  expect(after).toMatchObject({ ok: true, receipts: before.receipts });
  expect(await consumer.client.peers()).toMatchObject([{ name: 'study-pc', peerId: provider.info.peerId }]);
  await vi.waitFor(async () => expect((await stream('echo', 'and again')).text).toBe('echo: and again'), {
    timeout: 20_000,
    interval: 250,
  });
}, 60_000);

test('one changed byte in the books on disk is found, named and given status 6', async () => {
  await consumer.child.stop();
  const file = join(consumer.info.home, 'peerai.db');
  const changed = tamper(file);
  const started = peerai('up', '--json', '--listen', '127.0.0.1:0', '--port', '0', '--engine', 'nano');
  const code = await Promise.race([started.ended.then((told) => told.code), said(started.told)]);
  if (code === undefined) {
    const { code: status, stdout } = await peerai('ledger', 'verify').ended;
    expect([status, stdout]).toEqual([6, expect.stringMatching(/⊗ entry \d+/)]);
    await peerai('down').ended;
  } else expect(code).toBe(6);
  expect(changed).toBe(1);
}, 60_000);

/** Resolves when the agent said it is ready. */
async function said(told: { readonly stdout: string }): Promise<undefined> {
  await vi.waitFor(() => expect(told.stdout).toContain('"agent"'), { timeout: 15_000 });
}

/** Flips one bit in the middle of the oldest row of the room called ledger; returns how many rows it changed. */
function tamper(file: string): number {
  const database = new DatabaseSync(file);
  try {
    const rows = database.prepare('select key, value from rows order by key').all() as unknown as Row[];
    const row = rows.find(({ key, value }) => Buffer.from(key).includes('ledger\0') && value.length > 200);
    if (row === undefined) return 0;
    const changed = Uint8Array.from(row.value);
    const middle = changed.length >> 1;
    changed[middle] = (changed[middle] ?? 0) ^ 1;
    return Number(database.prepare('update rows set value = ? where key = ?').run(changed, row.key).changes);
  } finally {
    database.close();
  }
}
interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}
