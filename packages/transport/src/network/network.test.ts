import { limits as coreLimits, nobleCrypto, peerIdFromPublicKey, type Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { createAgentNode } from '../node/index.ts';
import type { TransportNode } from '../index.ts';
import { testDeps } from '../testing/index.ts';

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: coreLimits.messageBytesMax,
  channelsPerPeerMax: 4,
};
const nodes: TransportNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

test.each(['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'])('two agents talk over %s', async (listen) => {
  const make = async (): Promise<TransportNode> => {
    const node = await createAgentNode(testDeps(), { listen: [listen], relays: [], bootstrap: [] });
    nodes.push(node);
    await node.start();
    return node;
  };
  const [a, b] = [await make(), await make()];
  b.network.answer(echo, async (channel) => {
    for await (const message of channel) await channel.send(message);
  });
  const channel = await a.network.open(b.network.self, echo, {
    signal: AbortSignal.timeout(5_000),
    addresses: b.network.addresses(),
  });
  await channel.send(Uint8Array.of(1, 2, 3));
  await channel.close();
  const heard: Uint8Array[] = [];
  for await (const message of channel) heard.push(message);
  expect(heard).toEqual([Uint8Array.of(1, 2, 3)]);
  expect(channel.link.path).toBe('direct');
});

test('the peer id is the one core-protocol makes of the seed', async () => {
  const deps = testDeps();
  const node = await createAgentNode(deps, { listen: [], relays: [], bootstrap: [] });
  nodes.push(node);
  expect(node.network.self).toBe(peerIdFromPublicKey(nobleCrypto.ed25519.publicKey(deps.seed)));
});
