import { createIdentity, nobleCrypto, signRecord } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { createTestNodes, realRandom, relayAddress, until } from '../testing/index.ts';

const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

const record = (seed: Uint8Array, models: string[], sequence = 1, addresses: readonly string[] = []): Uint8Array =>
  signRecord(createIdentity(nobleCrypto, seed), {
    addresses,
    name: 'study',
    sequence,
    expiresMs: Date.now() + 60_000,
    models,
    agent: 'peerai/test',
  });

async function found(
  node: TransportNode,
  what: Parameters<TransportNode['directory']['find']>[0],
): Promise<Uint8Array[]> {
  const records: Uint8Array[] = [];
  for await (const one of node.directory.find(what, AbortSignal.timeout(5_000))) records.push(one);
  return records;
}

test('what one peer announces at the relay, another finds by model, by name and by peer', async () => {
  const relay = await nodes.relay();
  const options = { listen: [], relays: [relayAddress(relay)] };
  const seed = realRandom.bytes(32);
  const [a, b] = [await nodes.agent(options, { seed }), await nodes.agent(options)];
  await until(() => relay.stats().reservations === 2);
  const mine = record(seed, ['mistral'], 1, a.network.addresses());
  await a.directory.announce(mine);
  expect(await found(b, 'model:mistral')).toEqual([mine]);
  expect(await found(b, 'node:study')).toEqual([mine]);
  expect(await found(b, a.network.self)).toEqual([mine]);
  expect(await found(b, 'model:other')).toEqual([]);
});

test('a peer that comes later hears what was announced before, and open() finds it by its record', async () => {
  const relay = await nodes.relay();
  const seed = realRandom.bytes(32);
  const a = await nodes.agent({}, { seed });
  await a.directory.announce(record(seed, ['early'], 1, a.network.addresses()));
  const ping = {
    id: '/peerai/test/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 16,
    channelsPerPeerMax: 1,
  } as const;
  a.network.answer(ping, async (channel) => channel.send(Uint8Array.of(1)));
  await expect(
    a.network.open(relay.network.self, ping, {
      signal: AbortSignal.timeout(4_000),
      addresses: relay.network.addresses(),
    }),
  ).rejects.toMatchObject({ code: 'REFUSED' });
  const b = await nodes.agent({ listen: [], bootstrap: [relayAddress(relay)] });
  await until(() => b.stats().connections > 0);
  await until(() => relay.stats().connections === 2);
  let heard: Uint8Array[] = [];
  for (let round = 0; round < 20 && heard.length === 0; round += 1) heard = await found(b, 'model:early');
  expect(heard).toHaveLength(1);
  const channel = await b.network.open(a.network.self, ping, { signal: AbortSignal.timeout(5_000) });
  for await (const message of channel) expect(message).toEqual(Uint8Array.of(1));
  expect(channel.link.path).toBe('direct');
});

test('a record that is not validly signed cannot be announced', async () => {
  const seed = realRandom.bytes(32);
  const a = await nodes.agent({}, { seed });
  const forged = record(seed, ['x']).slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  await expect(a.directory.announce(forged)).rejects.toMatchObject({ code: 'INVALID_SIGNATURE' });
});
