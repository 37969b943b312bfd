import { expect, test } from 'vitest';
import type { PeerView } from '../pairing/pairing.schema.ts';
import type { NetView } from '../paths/paths.schema.ts';
import { natChecks } from './nat-check.ts';

type Nat = NetView['reachability']['nat'];
const none: Nat = { isKnown: true, mapping: null, stunServers: [], turnServers: [] };
const answering = { server: 's:3478', seenAs: '198.51.100.4:61000' };
const silent = { server: 'gone:3478', seenAs: null };

function checked(
  nat: Nat,
  devices: readonly { name: string; path: 'direct' | 'relayed'; state?: 'online' | 'offline' }[],
) {
  const list = devices.map((one) => ({ kind: 'device', state: 'online', ...one })) as unknown as PeerView[];
  const net = { reachability: { nat } } as NetView;
  return natChecks({ peers: { list: () => list }, paths: { net: () => net } })[0];
}
const relayed = [{ name: 'b', path: 'relayed' }] as const;

test('nothing is said where links are direct and no server is set, and where there is no WebRTC', () => {
  expect(checked(none, [{ name: 'b', path: 'direct' }])).toBeUndefined();
  expect(checked(none, [{ name: 'b', path: 'relayed', state: 'offline' }])).toBeUndefined();
  expect(checked(null, relayed)).toBeUndefined();
  // The servers have not had their time yet.
  expect(checked({ ...none, isKnown: false, stunServers: [silent] }, relayed)).toBeUndefined();
});

test('a link that stays with the relay without a STUN server: name one', () => {
  expect(checked(none, relayed)).toMatchObject({
    id: 'nat',
    state: 'look',
    cause: expect.stringMatching(/no STUN server is set.*the link to b stays with the relay/) as string,
    command: 'peerai config explain network.nat.stun_servers',
  });
  const two = checked(none, [...relayed, { name: 'c', path: 'relayed' }]);
  expect(two?.cause).toContain('the links to b, c stay with the relay');
});

test('STUN servers of which none answers are named, with or without a relayed link', () => {
  for (const devices of [[], relayed])
    expect(checked({ ...none, stunServers: [silent] }, devices)).toMatchObject({
      state: 'look',
      cause: 'No STUN server answers: gone:3478.',
    });
});

test('a symmetric router keeps the link with the relay; a TURN server may help, and is named where it did not', () => {
  const hard: Nat = { ...none, mapping: 'differs', stunServers: [answering, answering] };
  expect(checked(hard, relayed)).toMatchObject({
    state: 'look',
    cause: expect.stringContaining('symmetric NAT') as string,
    remedy: expect.stringContaining('name a TURN server') as string,
    command: 'peerai config explain network.nat.turn_servers',
  });
  expect(checked({ ...hard, turnServers: ['t:3478'] }, relayed)?.remedy).toContain('did not help');
});

test('where this side is well, the other side is to be looked at', () => {
  const easy: Nat = { ...none, mapping: 'same', stunServers: [answering, answering] };
  expect(checked(easy, relayed)).toMatchObject({ state: 'look', remedy: 'Run peerai doctor on b as well.' });
});

test('with direct links, the doctor says how many servers answer and what the router is like', () => {
  const easy: Nat = { ...none, mapping: 'same', stunServers: [answering, answering, silent] };
  const check = checked(easy, [{ name: 'b', path: 'direct' }]);
  expect(check).toMatchObject({
    state: 'ok',
    cause: expect.stringMatching(/^2 of 3 STUN servers answer\. .*one port/) as string,
  });
  expect(check).not.toHaveProperty('remedy');
  expect(checked({ ...none, stunServers: [answering] }, [])?.cause).toContain('Two of them would say');
});
