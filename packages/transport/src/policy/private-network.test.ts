import type { MessageStream } from '@libp2p/interface';
import type { Protocol } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import { createTestNodes, realRandom, relayAddress, until } from '../testing/index.ts';
import { readNetworkKey } from './network-key.ts';
import { createCover } from './private-network.ts';

const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_024,
  channelsPerPeerMax: 16,
};
const networkKey = realRandom.bytes(limits.networkKeyBytes);
const otherKey = realRandom.bytes(limits.networkKeyBytes);
const soon = (): AbortSignal => AbortSignal.timeout(12_000);
const off = { tcp: false, websocket: false, webrtc: false, quic: false };
const ways = {
  tcp: { transports: { ...off, tcp: true }, listen: ['/ip4/127.0.0.1/tcp/0'] },
  websocket: { transports: { ...off, websocket: true }, listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
  quic: { transports: { ...off, quic: true }, listen: ['/ip4/127.0.0.1/udp/0/quic-v1'] },
} as const;

function answering(node: TransportNode): TransportNode {
  node.network.answer(echo, async (channel) => {
    for await (const message of channel) await channel.send(message);
  });
  return node;
}

/** What a sends comes back. */
async function talk(a: TransportNode, b: TransportNode): Promise<string> {
  const channel = await a.network.open(b.network.self, echo, { signal: soon(), addresses: b.network.addresses() });
  await channel.send(Uint8Array.of(7));
  const { value } = await channel[Symbol.asyncIterator]().next();
  expect(value).toEqual(Uint8Array.of(7));
  return channel.link.transport ?? '';
}

describe.each(Object.entries(ways))('over %s', (name, way) => {
  test('members of one private network talk', async () => {
    const b = answering(await nodes.agent(way, { networkKey }));
    const a = await nodes.agent(way, { networkKey });
    expect(await talk(a, b)).toBe(name === 'websocket' ? 'ws' : name);
  });

  test.each([
    ['another key', networkKey, otherKey],
    ['a key where the other has none', networkKey, undefined],
    ['no key where the other has one', undefined, networkKey],
  ])(
    '%s leads nowhere',
    async (_case, ours, theirs) => {
      const b = answering(await nodes.agent(way, theirs === undefined ? {} : { networkKey: theirs }));
      const a = await nodes.agent(
        { ...way, connectionTimeoutMs: 3_000 },
        ours === undefined ? {} : { networkKey: ours },
      );
      const failed = await talk(a, b).catch((error: unknown) => error);
      expect(failed).toMatchObject({
        code: name === 'quic' || ours !== undefined ? 'PRIVATE_NETWORK' : 'PEER_UNREACHABLE',
      });
      await until(() => a.stats().connections === 0 && b.stats().connections === 0);
    },
    20_000,
  );
});

test('WebRTC through a relay of the network: members talk directly', async () => {
  const relay = await nodes.relay({}, { networkKey });
  const options = { listen: [], relays: [relayAddress(relay)], path: 'direct-only' } as const;
  const b = answering(await nodes.agent(options, { networkKey }));
  const a = await nodes.agent(options, { networkKey });
  await until(() => b.network.addresses().length > 0 && a.network.addresses().length > 0);
  expect(await talk(a, b)).toBe('webrtc');
}, 20_000);

test('what a stranger opens is refused before anything else of ours is heard, and its link ends', async () => {
  const b = answering(await nodes.agent(ways.quic, { networkKey }));
  const a = await nodes.agent(ways.quic);
  const addresses = b.network.addresses();
  await expect(a.network.open(b.network.self, echo, { signal: soon(), addresses })).rejects.toMatchObject({
    code: 'PRIVATE_NETWORK',
  });
  expect(b.stats().channels).toBe(0);
  await until(() => b.stats().connections === 0, limits.membershipMs + 5_000);
}, 20_000);

test('so many places that answered in another way are remembered, and of one more the first is forgotten', () => {
  const cover = createCover(networkKey);
  const waiting = new AbortController().signal;
  const place = (count: number): string => `/ip4/192.0.2.${count % 256}/tcp/${1_000 + count}`;
  const answered = (count: number): void => {
    const silent = Object.assign(new EventTarget(), {
      remoteAddr: { toString: () => `${place(count)}/p2p/somebody` },
      direction: 'outbound',
      log: { newScope: () => () => undefined },
      send: () => true,
      push: () => undefined,
    });
    void cover.connectionProtector().protect(silent as unknown as MessageStream, { signal: waiting });
  };
  for (let count = 0; count < limits.foreignPlacesMax; count += 1) answered(count);
  expect([cover.isForeign(place(0)), cover.isForeign(place(limits.foreignPlacesMax - 1))]).toEqual([true, true]);
  answered(limits.foreignPlacesMax);
  expect([0, 1, limits.foreignPlacesMax].map((count) => cover.isForeign(place(count)))).toEqual([false, true, true]);
});

describe('the key’s file', () => {
  const digits = '0123456789abcdef'.repeat(4);
  test.each([
    ['64 hex digits', `${digits}\n`],
    ['a swarm.key', `/key/swarm/psk/1.0.0/\n/base16/\n${digits.toUpperCase()}\n`],
  ])('may be %s', (_name, text) => {
    expect(readNetworkKey(text)).toEqual(Uint8Array.from({ length: 32 }, (_, at) => ((at % 8) * 34 + 1) & 255));
  });
  test.each(['', digits.slice(1), `${digits}0`, `/key/swarm/psk/1.0.0/\n/base64/\n${digits}`, 'g'.repeat(64)])(
    'is not %j',
    (text) => {
      expect(() => readNetworkKey(text)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }) as Error);
    },
  );
});

test.each([31, 33])('a key of %i bytes is refused', async (length) => {
  await expect(nodes.agent({}, { networkKey: new Uint8Array(length) })).rejects.toMatchObject({
    code: 'INVALID_FORMAT',
  });
});
