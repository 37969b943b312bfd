import { startTestnet, type RunningAgent, type Testnet } from '@peerai/testnet';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openGuest, type RunningGuest } from './guest.ts';

let testnet: Testnet;
let provider: RunningAgent;
const guests: RunningGuest[] = [];
beforeAll(async () => {
  testnet = await startTestnet({ agents: 1, relays: 1, engine: 'scripted', env: {}, names: ['study-pc'] });
  const [first] = testnet.agents;
  if (first === undefined) throw new Error('one agent was asked for');
  provider = first;
}, 60_000);
afterAll(async () => {
  await Promise.all(guests.map((guest) => guest.stop()));
  await provider?.child.stop();
  await testnet?.stop();
}, 30_000);

const join = async (link: string): Promise<RunningGuest> => {
  const guest = await openGuest(link);
  guests.push(guest);
  return guest;
};
const tokensOf = async (id: string) => (await provider.client.shares()).find((one) => one.id === id)?.tokens;

test('a killed provider starts again with the same spent budget, guests and end, and refuses what is spent', async () => {
  const share = await provider.client.share({ model: 'echo', tokens: 200, guests: 1 });
  const guest = await join(share.link);
  expect(await guest.ask('one two three')).toEqual({ text: 'echo: one two three', code: undefined });
  await vi.waitFor(async () => expect(await tokensOf(share.id)).toEqual({ budget: 200, used: 7, reserved: 0 }));

  await provider.child.kill();
  provider = await provider.restart();
  const [after] = await provider.client.shares();
  expect(after).toMatchObject({
    id: share.id,
    link: share.link,
    tokens: { budget: 200, used: 7, reserved: 0 },
    state: 'active',
    expiresMs: share.expiresMs,
  });
  expect(after?.guests.map(({ peerId }) => peerId)).toEqual([guest.guest.self]);

  // The same guest goes on; a second one is still one too many.
  await vi.waitFor(async () => expect(await guest.ask('four')).toEqual({ text: 'echo: four', code: undefined }), {
    timeout: 15_000,
    interval: 250,
  });
  const second = await join(share.link);
  await vi.waitFor(async () => expect((await second.ask('me too')).code).toBe('TOO_MANY_GUESTS'), {
    timeout: 15_000,
    interval: 250,
  });
  const long = 'word '.repeat(150);
  await guest.ask(long);
  expect((await guest.ask(long)).code).toBe('BUDGET_SPENT');
  await vi.waitFor(async () => {
    const { used = 0, reserved } = (await tokensOf(share.id)) ?? {};
    expect(used).toBeLessThanOrEqual(200);
    expect(reserved).toBe(0);
  });
}, 60_000);

test('a provider killed in the middle of an answer to a guest charges at most what it had reserved', async () => {
  const share = await provider.client.share({ model: 'echo-slow', tokens: 1_000, guests: 1 });
  // A share is for one model: this one is slow enough to be killed while it answers.
  const guest = await join(share.link);
  const asked = guest.ask('word '.repeat(100).trim(), 200);
  await vi.waitFor(async () => expect((await tokensOf(share.id))?.reserved).toBeGreaterThan(0), { timeout: 10_000 });
  await provider.child.kill();
  const { text, code } = await asked;
  expect('echo: '.concat('word '.repeat(100)).startsWith(text)).toBe(true);
  expect(code).toMatch(/^(?:PEER_LOST|PEER_UNREACHABLE|CHANNEL_CLOSED|ANSWER_INTERRUPTED)$/);
  provider = await provider.restart();
  const tokens = await tokensOf(share.id);
  expect((tokens?.used ?? 0) + (tokens?.reserved ?? 0)).toBeLessThanOrEqual(100 + 200);
  expect((await provider.client.verifyLedger()).ok).toBe(true);
}, 60_000);

test('an agent that was started again ends with its testnet', async () => {
  const other = await startTestnet({ agents: 1, relays: 0, engine: 'scripted', env: {}, pair: false });
  const [first] = other.agents;
  await first?.child.kill();
  const again = await first?.restart();
  await other.stop();
  expect(again?.child.process.exitCode).toBe(0);
}, 60_000);
