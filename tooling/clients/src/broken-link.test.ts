import { createIdentity, fromUtf8, type Link, type PeerId, type Protocol, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { MemoryStore } from '@peerai/core-protocol/testing';
import { createMessenger, type PeerMessenger } from '@peerai/messaging';
import type { TransportNode } from '@peerai/transport';
import { freePort } from '@peerai/config/free-port';
import { createTcpProxy, createTestNodes, realRandom, relayAddress, testDeps, until } from '@peerai/transport/testing';
import { afterEach, expect, test, vi } from 'vitest';

const nodes = createTestNodes();
const ended: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ended.splice(0).map((end) => end()));
  await nodes.stopAll();
});
const hello: Protocol = {
  id: '/peerai/test-hello/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_024,
  channelsPerPeerMax: 1,
};
/** Between two messages, milliseconds. */
const pauseMs = 10;
/** A messenger waits longer each time it fails. */
const linkMs = 30_000;

/** Messages over a node, and the numbers its handler committed, in their order. */
async function messengerOver(node: TransportNode, seed: Uint8Array) {
  const identity = createIdentity(nodeCrypto, seed);
  const store = new MemoryStore();
  let count = 0;
  const room = store.room('heard');
  const { clock, random, logger } = testDeps();
  const messenger: PeerMessenger = createMessenger({
    clock,
    random,
    logger,
    identity,
    crypto: nodeCrypto,
    network: node.network,
    store: store.room('messages'),
  });
  messenger.handle('count', async ({ payload }) => {
    count += 1;
    return [room.put(String(count).padStart(6, '0'), utf8(String(payload)))];
  });
  await messenger.start(new AbortController().signal);
  ended.push(() => messenger.stop());
  return {
    messenger,
    async heard() {
      const numbers: number[] = [];
      for await (const { value } of room.range('', '\u{10ffff}')) numbers.push(Number(fromUtf8(value)));
      return numbers;
    },
  };
}

/** What carries the links to a peer now. */
async function kindsOf(node: TransportNode, peer: PeerId): Promise<readonly Link['transport'][]> {
  const looking = new AbortController();
  // The links as they are come at once.
  setTimeout(() => looking.abort(), 20);
  const kinds: Link['transport'][] = [];
  for await (const link of node.network.links(looking.signal))
    if (link.peer === peer && link.state === 'up') kinds.push(link.transport);
  return kinds;
}

/** How many links to a peer went down. */
function brokenOf(node: TransportNode, peer: PeerId): () => number {
  let broken = 0;
  const watching = new AbortController();
  ended.push(() => watching.abort());
  void (async () => {
    for await (const link of node.network.links(watching.signal))
      if (link.peer === peer && link.state === 'down') broken += 1;
  })();
  return () => broken;
}

test('a link that breaks under a row of messages is replaced, by TCP again and then by a relay: each arrives once, in order', async () => {
  const relay = await nodes.relay();
  const [seedA, seedB] = [realRandom.bytes(32), realRandom.bytes(32)];
  const transports = { tcp: true, websocket: false, webrtc: false, quic: false };
  const relays = [relayAddress(relay)];
  const port = await freePort();
  const proxy = await createTcpProxy(`/ip4/127.0.0.1/tcp/${port}`);
  ended.push(() => proxy.close());
  // Others know it behind a wire that can be cut, and at the relay.
  const listen = [`/ip4/127.0.0.1/tcp/${port}`];
  const b = await nodes.agent({ listen, announce: [proxy.address], relays, transports }, { seed: seedB });
  const a = await nodes.agent({ listen: [], relays, transports }, { seed: seedA });
  await until(() => relay.stats().reservations === 2);
  b.network.answer(hello, (channel) => channel.close());
  const [from, to] = [await messengerOver(a, seedA), await messengerOver(b, seedB)];
  const broken = brokenOf(a, b.network.self);
  const linked = (kind: Link['transport']): Promise<void> =>
    vi.waitFor(async () => expect(await kindsOf(a, b.network.self)).toContain(kind), { timeout: linkMs });
  const signal = AbortSignal.timeout(10_000);
  await a.network.open(b.network.self, hello, { signal, addresses: b.network.addresses() });

  const sending = new AbortController();
  let sent = 0;
  const sender = (async () => {
    while (!sending.signal.aborted) {
      await from.messenger.send({ to: b.network.self, kind: 'count', payload: sent });
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  })();
  for (let turn = 0; turn < 3; turn += 1) {
    await linked('tcp');
    const before = broken();
    proxy.cut();
    await until(() => broken() > before);
  }
  proxy.close();
  await linked('relay');
  const before = broken();
  await a.network.disconnect(b.network.self);
  await until(() => broken() > before);
  await linked('relay');
  sending.abort();
  await sender;
  await vi.waitFor(async () => expect(await from.messenger.waiting()).toBe(0), { timeout: 30_000 });
  expect(await to.heard()).toEqual(Array.from({ length: sent }, (_, number) => number));
  expect(await from.messenger.pending()).toEqual([]);
}, 120_000);
