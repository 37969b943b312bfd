import { createIdentity, nobleCrypto, type PeerId, peerIdFromPublicKey, signRecord } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { createTestNodes, realRandom, relayAddress, until } from '../testing/index.ts';
import { createRecordBook } from './record-book.ts';
import { limits } from '../limits.ts';

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

test('a record that is not validly signed is refused by its announcer and by everybody else', async () => {
  const seed = realRandom.bytes(32);
  const a = await nodes.agent({}, { seed });
  const forged = record(seed, ['x']).slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  await expect(a.directory.announce(forged)).rejects.toMatchObject({ code: 'INVALID_SIGNATURE' });
  const book = createRecordBook(nobleCrypto, () => Date.now());
  expect(book.put(forged)).toBeUndefined();
  expect(book.put(new Uint8Array(20_000))).toBeUndefined();
});

test('only the newest record of a peer counts, and an expired one is forgotten', () => {
  let nowMs = Date.now();
  const book = createRecordBook(nobleCrypto, () => nowMs);
  const seed = realRandom.bytes(32);
  const peer: PeerId = peerIdFromPublicKey(nobleCrypto.ed25519.publicKey(seed));
  expect(book.put(record(seed, ['new'], 2))).toBeDefined();
  expect(book.put(record(seed, ['old'], 1))).toBeUndefined();
  expect(book.put(record(seed, ['same'], 2))).toBeUndefined();
  expect(book.match(peer, () => [])[0]?.record.models).toEqual(['new']);
  expect(book.match('topic:t', () => [peer])).toHaveLength(1);
  nowMs += 61_000;
  expect(book.match(peer, () => [])).toEqual([]);
});

test('a full book forgets the record that expires first', () => {
  const opened = new Map<string, number>();
  const crypto = { ...nobleCrypto, ed25519: { ...nobleCrypto.ed25519, verify: () => true } };
  const book = createRecordBook(crypto, () => 0);
  const put = (index: number): void => {
    const seed = new Uint8Array(32);
    new DataView(seed.buffer).setUint32(0, index + 1);
    const identity = { peer: peerIdFromPublicKey(seed), publicKey: seed, sign: () => new Uint8Array(64) };
    const expiresMs = index === 7 ? 1_000 : 50_000 + index;
    opened.set(identity.peer, expiresMs);
    book.put(signRecord(identity, { addresses: [], name: '', sequence: 1, expiresMs, models: [], agent: '' }));
  };
  for (let index = 0; index < limits.recordsMax; index += 1) put(index);
  expect(book.size).toBe(limits.recordsMax);
  put(limits.recordsMax);
  expect(book.size).toBe(limits.recordsMax);
  const first = [...opened].find(([, expiresMs]) => expiresMs === 1_000)?.[0] ?? '';
  expect(book.match(first, () => [])).toEqual([]);
});
