import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import {
  circuitsThrough,
  planAddresses,
  sortAddresses,
  throughRelay,
  transportOf,
  withoutWebrtc,
  withWebrtc,
} from './addresses.ts';

const self = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo';
const relay = '12D3KooWLcq2BGC4j8hPjr8hFZXE9Dxna3VDMhpJ7dyXrRMoYEG3';
const circuit = `/ip4/198.51.100.7/tcp/4100/ws/p2p/${relay}/p2p-circuit`;

test('best first: a door for browsers, WebRTC, public sockets, relayed bytes, private networks, loopback', () => {
  const wanted = [
    `${circuit}/webrtc/p2p/${self}`,
    `/ip4/198.51.100.7/tcp/4101/p2p/${relay}/p2p-circuit/webrtc/p2p/${self}`,
    `/ip4/20.1.2.3/tcp/4001/p2p/${self}`,
    `${circuit}/p2p/${self}`,
    `/ip4/192.168.1.5/tcp/4001/p2p/${self}`,
    `/ip4/192.168.1.5/udp/4001/quic-v1/p2p/${self}`,
    `/ip4/127.0.0.1/tcp/4002/ws/p2p/${self}`,
    `/ip4/127.0.0.1/tcp/4001/p2p/${self}`,
  ];
  expect(sortAddresses(wanted.toReversed())).toEqual(wanted);
  expect(sortAddresses([...wanted, ...wanted, '/webrtc'])).toEqual(wanted);
});

test('a circuit address is a way to relay and a way to WebRTC, whichever of the two was given', () => {
  const plain = `${circuit}/p2p/${self}`;
  const webrtc = `${circuit}/webrtc/p2p/${self}`;
  for (const given of [plain, webrtc, circuit, `${circuit}/webrtc`]) {
    expect(planAddresses(self, [given])).toEqual({
      direct: [],
      relayed: [plain],
      webrtc: [webrtc],
      file: [],
      unusable: [],
    });
  }
  expect(withWebrtc(plain)).toBe(webrtc);
  expect(withWebrtc(webrtc)).toBe(webrtc);
  expect(withoutWebrtc(webrtc)).toBe(plain);
});

test.each([
  ['', 'not a multiaddr'],
  ['hello', 'not a multiaddr'],
  [`/ip4/192.0.2.1/tcp/1/p2p/${relay}`, 'names another peer'],
  [`/webrtc/p2p/${self}`, 'WebRTC needs a relay to meet at'],
])('%s is unusable: %s', (address, reason) => {
  const plan = planAddresses(self, [address]);
  expect(plan.direct.length + plan.relayed.length + plan.webrtc.length).toBe(0);
  expect(plan.unusable).toEqual([{ address, reason }]);
});

test('any text whatever is sorted somewhere and nothing is thrown', () => {
  const parts = fc.constantFrom('/ip4/1.2.3.4', '/tcp/1', '/ws', '/p2p-circuit', '/webrtc', `/p2p/${self}`, '/x', '\0');
  const text = fc.oneof(
    fc.string(),
    fc.array(parts).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), (addresses) => {
      planAddresses(self, addresses);
      sortAddresses(addresses);
    }),
    { numRuns: 2_000 },
  );
});

test('an address through a relay we have lost is no address', () => {
  const lives = (id: string): boolean => id === relay;
  expect(throughRelay(`${circuit}/p2p/${self}`, lives)).toBe(true);
  expect(throughRelay(`${circuit}/p2p/${self}`, () => false)).toBe(false);
  expect(throughRelay(`/ip4/127.0.0.1/tcp/1/p2p/${self}`, () => false)).toBe(true);
});

test.each([
  [`/ip4/1.2.3.4/tcp/1/p2p/${self}`, 'tcp'],
  [`/ip4/1.2.3.4/udp/1/quic-v1/p2p/${self}`, 'quic'],
  [`/dns4/a.example/tcp/443/wss/p2p/${self}`, 'ws'],
  [`${circuit}/p2p/${self}`, 'relay'],
  [`${circuit}/webrtc/p2p/${self}`, 'webrtc'],
  [`/webrtc/p2p/${self}`, 'webrtc'],
  [`/peerai-file/p2p/${self}`, 'file'],
  [`/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:4001/p2p/${self}`, 'onion'],
])('a link to %s is carried by %s', (address, transport) => {
  expect(transportOf(address)).toBe(transport);
});

test('a peer whose addresses name no relay is looked for at so many of our own', () => {
  const relays = Array.from({ length: limits.ownRelaysTriedMax + 1 }, (_, place) => `/ip4/192.0.2.${place}/tcp/1`);
  const through = (count: number) => circuitsThrough(relays.slice(0, count), self);
  expect(through(limits.ownRelaysTriedMax)).toHaveLength(limits.ownRelaysTriedMax);
  expect(through(limits.ownRelaysTriedMax + 1)).toEqual(through(limits.ownRelaysTriedMax));
});
