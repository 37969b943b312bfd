import { pair } from '@peerai/testnet';
import { afterAll, expect, test, vi } from 'vitest';
import { type OwnAgent, ownAgents, type Settings } from './own-agents.ts';

const agents = ownAgents();
afterAll(() => agents.stop(), 20_000);

const settings = (name: string, network: Settings = {}): Settings => ({
  llm: { engines: ['nano'] },
  api: { port: 0 },
  logging: { level: 'warn' },
  network: { listen_address: '127.0.0.1:0', discovery: { mdns: false }, name, ...network },
});
const seenBy = async (one: OwnAgent, other: OwnAgent) =>
  (await one.client.peers()).find(({ peerId }) => peerId === other.info.peerId);
const patient = { timeout: 40_000, interval: 200 };

test('two devices seal their link; one that stops to is refused, says the doctor, until it does again', async () => {
  const [north, south] = await Promise.all([
    agents.start('north', settings('north')),
    agents.start('south', settings('south')),
  ]);
  await pair(north, south);
  await vi.waitFor(async () => {
    expect(await seenBy(north, south)).toMatchObject({ state: 'online', hybrid: true });
    expect(await seenBy(south, north)).toMatchObject({ state: 'online', hybrid: true });
  }, patient);

  const stripped = await south.again(settings('south', { post_quantum: 'off' }));
  await vi.waitFor(async () => {
    expect(await seenBy(north, stripped)).toMatchObject({
      trouble: { code: 'POST_QUANTUM_REQUIRED', command: 'peerai config explain network.post_quantum' },
    });
  }, patient);
  await expect(stripped.client.ping(north.info.peerId)).rejects.toMatchObject({ code: 'POST_QUANTUM_REQUIRED' });
  const { checks } = await north.client.doctor();
  expect(checks.find(({ title }) => title === 'south')).toMatchObject({ state: 'look' });

  const back = await stripped.again(settings('south', { post_quantum: 'required' }));
  await vi.waitFor(async () => {
    const view = await seenBy(north, back);
    expect(view).toMatchObject({ state: 'online', hybrid: true });
    expect(view).not.toHaveProperty('trouble');
  }, patient);
  expect((await back.client.ping(north.info.peerId)).path).toBe('direct');
}, 180_000);
