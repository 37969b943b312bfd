import type { Connection } from '@libp2p/interface';
import { afterEach, expect, test } from 'vitest';
import { createTestNodes, relayAddress, until } from '../testing/index.ts';
import { isThroughTurn } from './through-turn.ts';

const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

const withPair = (getSelectedCandidatePair: () => unknown): Connection =>
  ({ maConn: { peerConnection: { sctp: { transport: { iceTransport: { getSelectedCandidatePair } } } } } }) as never;
const candidate = (type: string) => ({
  candidate: `candidate:1 1 UDP 2 192.0.2.1 5000 typ ${type} raddr 0.0.0.0 rport 0`,
});

test.each([
  ['host', 'srflx', false],
  ['relay', 'host', true],
  ['host', 'relay', true],
])('candidates of the kinds %s and %s: %s', (local, remote, is) => {
  expect(isThroughTurn(withPair(() => ({ local: candidate(local), remote: candidate(remote) })))).toBe(is);
});

test('nothing is said of links without candidates, nor while none is chosen', () => {
  expect(isThroughTurn({} as Connection)).toBeUndefined();
  expect(isThroughTurn(withPair(() => null))).toBeUndefined();
  const closed = withPair(() => {
    throw new Error('closed');
  });
  expect(isThroughTurn(closed)).toBeUndefined();
});

test('a real WebRTC link tells that it goes through no TURN server; a TCP link knows of none', async () => {
  const relay = await nodes.relay();
  const a = await nodes.agent({ listen: [], path: 'direct-only' });
  const b = await nodes.agent({ listen: [], relays: [relayAddress(relay)] });
  await until(() => b.network.addresses().length > 0);
  const ping = {
    id: '/peerai/test/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 64,
    channelsPerPeerMax: 1,
  } as const;
  b.network.answer(ping, async (channel) => channel.send(Uint8Array.of(1)));
  const channel = await a.network.open(b.network.self, ping, {
    signal: AbortSignal.timeout(15_000),
    addresses: b.network.addresses(),
  });
  await until(() => channel.link.roundTripMs > 0);
  expect(channel.link).toMatchObject({ transport: 'webrtc', throughTurn: false });
  relay.network.answer(ping, async (one) => one.send(Uint8Array.of(1)));
  const direct = await b.network.open(relay.network.self, ping, { signal: AbortSignal.timeout(15_000) });
  await until(() => direct.link.roundTripMs > 0);
  expect(direct.link.throughTurn).toBeUndefined();
});
