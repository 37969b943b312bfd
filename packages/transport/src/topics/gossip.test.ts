import crypto from 'node:crypto';
import type { GossipSub } from '@libp2p/gossipsub';
import { afterEach, expect, test } from 'vitest';
import { fromUtf8 } from '@peerai/core-protocol';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2p } from 'libp2p';
import type { Components } from '../libp2p/components.ts';
import { realClock, until } from '../testing/index.ts';
import { gossipService, keepGossipStreams } from './topics.ts';

/** What gossipsub has and its public type does not name. */
interface Inner {
  getMeshPeers(topic: string): readonly string[];
  handleReceivedMessage(...given: unknown[]): Promise<void>;
}

const nodes: Libp2p[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map(async (node) => node.stop()));
});

async function node(keeps = true): Promise<{ readonly libp2p: Libp2p; readonly pubsub: GossipSub }> {
  let components: Components | undefined;
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: { inboundConnectionThreshold: 100 },
    services: {
      identify: identify(),
      pubsub: gossipService(),
      inner: (inner: Components) => {
        components = inner;
        return {};
      },
    },
  });
  nodes.push(libp2p);
  const { pubsub } = libp2p.services;
  if (components === undefined) throw new Error('no components');
  if (keeps) keepGossipStreams(components, pubsub, realClock);
  pubsub.subscribe('talk');
  return { libp2p, pubsub };
}

test('who loses the link that gossip went over is heard over the one that is left', async () => {
  const [a, b] = [await node(), await node()];
  const heard: string[] = [];
  b.pubsub.addEventListener('message', ({ detail }) => heard.push(fromUtf8(detail.data)));
  await a.libp2p.dial(b.libp2p.getMultiaddrs());
  await until(() => a.pubsub.getSubscribers('talk').length === 1 && b.pubsub.getSubscribers('talk').length === 1);
  // Both have heard all about the second link too: gossip asks for nothing more by itself.
  const identified = [a, b].map(
    ({ libp2p }) => new Promise((resolve) => libp2p.addEventListener('peer:identify', resolve)),
  );
  await a.libp2p.dial(b.libp2p.getMultiaddrs(), { force: true });
  await Promise.all(identified);
  const gossiping = a.libp2p
    .getConnections()
    .filter(({ streams }) => streams.some(({ protocol }) => /meshsub/u.test(protocol)));
  expect([a.libp2p.getConnections().length, gossiping.length]).toEqual([2, 1]);
  await gossiping[0]?.close();
  await until(() => {
    void a.pubsub.publish('talk', Uint8Array.of(104, 105));
    return heard.includes('hi');
  });
  expect(a.libp2p.getConnections()).toHaveLength(1);
});

test('a copy of what a neighbour brought before is told by its bytes, and its signature is not checked', async () => {
  const all = [await node(), await node(), await node(), await node()];
  for (const [index, { libp2p }] of all.entries())
    for (const other of all.slice(0, index)) await libp2p.dial(other.libp2p.getMultiaddrs());
  const others = all.length - 1;
  await until(() => all.every(({ pubsub }) => pubsub.getSubscribers('talk').length === others));
  await until(() => all.every(({ pubsub }) => (pubsub as unknown as Inner).getMeshPeers('talk').length === others));
  const copies: (() => Promise<void>)[] = [];
  let [heard, checked] = [0, 0];
  for (const { pubsub } of all) {
    pubsub.addEventListener('message', () => (heard += 1));
    const inner = pubsub as unknown as Inner;
    const handle = inner.handleReceivedMessage.bind(pubsub);
    inner.handleReceivedMessage = async (...given) => {
      copies.push(async () => handle(...given));
      return handle(...given);
    };
  }
  const { verify } = crypto;
  crypto.verify = ((...given: Parameters<typeof verify>) => {
    if (fromUtf8(new Uint8Array(given[1] as Uint8Array).subarray(0, 13)) === 'libp2p-pubsub') checked += 1;
    return verify(...given);
  }) as typeof verify;
  try {
    const messages = 5;
    for (let count = 0; count < messages; count += 1)
      await all[count % 4]?.pubsub.publish('talk', Uint8Array.of(count));
    await until(() => heard === messages * others && copies.length > heard);
    expect(checked).toBeGreaterThanOrEqual(heard);
    // Copies that cross on the way may both be checked; each of these comes after the first was judged.
    checked = 0;
    for (const again of copies) await again();
    expect([checked, heard]).toEqual([0, messages * others]);
  } finally {
    crypto.verify = verify;
  }
});
