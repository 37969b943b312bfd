import type { Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { createTestNodes, realRandom, relayAddress, until } from '../testing/index.ts';

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 16,
};
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());
const options = { listen: [], transports: { tcp: true, websocket: false, webrtc: false } };

test('a peer has its circuits once, however many connections it opens', async () => {
  const relay = await nodes.relay({ limits: { circuitsPerPeerMax: 1 } });
  const relays = [relayAddress(relay)];
  const [b, c] = [await nodes.agent({ ...options, relays }), await nodes.agent({ ...options, relays })];
  await until(() => relay.stats().reservations === 2);
  const seed = realRandom.bytes(32);
  const [one, other] = [await nodes.agent(options, { seed }), await nodes.agent(options, { seed })];
  for (const { network } of [b, c]) network.answer(echo, (channel) => channel.send(Uint8Array.of(1)));
  const open = (from: typeof one, to: typeof b) =>
    from.network.open(to.network.self, echo, {
      signal: AbortSignal.timeout(8_000),
      addresses: [`${relays[0]}/p2p-circuit`],
    });
  expect((await open(one, b)).link.path).toBe('relayed');
  await expect(open(other, c)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  await until(() => relay.stats().refused.circuits > 0);
  expect(relay.stats().circuits).toBe(1);
  // The one that came twice is one.
  expect(relay.stats()).toMatchObject({ connections: 4, peers: 3 });
});

test('a peer is called over as many circuits as it may have, and not over one more', async () => {
  const relay = await nodes.relay({ limits: { circuitsPerPeerMax: 1 } });
  const relays = [relayAddress(relay)];
  const called = await nodes.agent({ ...options, relays });
  called.network.answer(echo, (channel) => channel.send(Uint8Array.of(1)));
  await until(() => relay.stats().reservations === 1);
  const open = async () =>
    (await nodes.agent(options)).network.open(called.network.self, echo, {
      signal: AbortSignal.timeout(8_000),
      addresses: [`${relays[0]}/p2p-circuit`],
    });
  expect((await open()).link.path).toBe('relayed');
  await expect(open()).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    details: { attempts: [{ step: 'relay', reason: expect.stringContaining('PERMISSION_DENIED') as string }] },
  });
  expect(relay.stats()).toMatchObject({ circuits: 1, refused: { circuits: 1 } });
});
