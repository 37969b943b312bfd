import {
  callMethod,
  type CheckedAddress,
  type ConnectionTrace,
  type NatFacts,
  type Paths,
  type PeerId,
  type StepTrace,
} from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { hello, helloMethod } from '../links/hello-protocol.ts';
import { testWorld, type TestPeer } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';

const address = '/ip4/192.0.2.7/tcp/4001/p2p/12D3';
const step = (name: StepTrace['step'], code: StepTrace['code']): StepTrace => ({
  step: name,
  code,
  address,
  cause: '',
});

/** Attempts as a test has them. */
function fakePaths(steps: readonly StepTrace[], more: Partial<Paths> = {}): Paths {
  const trace = (peer: PeerId): ConnectionTrace => ({ peer, atMs: 0, steps });
  return { last: trace, relay: () => undefined, attempt: async (peer) => trace(peer), observed: () => [], ...more };
}
const shown = (peer: TestPeer, name: string) => peer.peer.peers.list().find((one) => one.name === name);

async function away(steps: readonly StepTrace[]) {
  const world = testWorld();
  const [a, b] = [await world.peer('a', { paths: fakePaths(steps) }), await world.peer('b')];
  await pair(world, a, b);
  const here = shown(a, 'b');
  world.networks.cut(a.identity.peer, b.identity.peer);
  await until(world.clock, () => shown(a, 'b')?.state === 'offline');
  return { world, a, b, here };
}

test('a device that is away shows the step that came furthest, and only while it is away', async () => {
  const failed = [step('dial', 'NOBODY_LISTENS'), step('encrypt', 'WRONG_KEY'), step('dial', 'NO_ANSWER')];
  const { a, here } = await away(failed);
  expect(here).not.toHaveProperty('trouble');
  expect(shown(a, 'b')?.trouble).toEqual({
    step: 'encrypt',
    code: 'WRONG_KEY',
    reason: 'Another peer than b answers at /ip4/192.0.2.7/tcp/4001: its key is a different one.',
    remedy: 'If b was set up anew, compare its key and pair again; if not, its address now belongs to another machine.',
    command: 'peerai peers verify b',
  });
  await a.peer.peers.change('b', { blocked: true });
  expect(shown(a, 'b')).not.toHaveProperty('trouble');
});

test('a private network is shown as such, by the doctor too', async () => {
  const { a } = await away([step('encrypt', 'NOT_A_PEER'), step('membership', 'PRIVATE_NETWORK')]);
  expect(shown(a, 'b')?.trouble).toMatchObject({ step: 'membership', code: 'PRIVATE_NETWORK' });
  const check = (await a.peer.doctor.check()).checks.find(({ title }) => title === 'b');
  expect(check).toMatchObject({
    state: 'look',
    cause: 'b is in no private network, or in another than this device. (membership, PRIVATE_NETWORK)',
    command: 'peerai config explain network.psk_file',
  });
});

test('a relay that is full or gone is named with its step', async () => {
  const relay = `/ip4/192.0.2.9/tcp/4001/p2p/12D3KooWGRUVh5TQzJVgZ5hXYd7rkbhx7CmyJhyFhWjMfF8vGh1D`;
  const told: StepTrace = { step: 'reservation', code: 'RELAY_FULL', address: relay, cause: 'RESERVATION_REFUSED' };
  const paths = fakePaths([], { relay: (one) => (one === relay ? told : undefined) });
  const { peer } = await testWorld().peer('a', { paths, settings: { relays: [relay] } });
  const check = (await peer.doctor.check()).checks.find(({ id }) => id === 'relay');
  expect(check).toMatchObject({ cause: `${relay}: The relay has no place left. (reservation, RELAY_FULL)` });
  expect(peer.paths.net().relays).toMatchObject([{ address: relay, hasPlace: false, trouble: { code: 'RELAY_FULL' } }]);
});

test('a trace asks the device something once a way is open, and says it is reached', async () => {
  const world = testWorld();
  const a = await world.peer('a', { paths: fakePaths([step('dial', 'OK'), step('upgrade', 'OK')]) });
  const b = await world.peer('b');
  await pair(world, a, b);
  const trace = await world.clock.until(a.peer.paths.trace('b', live()));
  expect(trace).toMatchObject({ name: 'b', reached: true, trouble: null });
  expect(trace.steps.map((one) => `${one.step} ${one.code}`)).toEqual(['dial OK', 'upgrade OK', 'protocol OK']);
  await expect(a.peer.paths.trace('nobody', live())).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
});

test('a trace of a device that blocked us after the link came up ends at the protocol', async () => {
  const world = testWorld();
  const a = await world.peer('a', { paths: fakePaths([step('dial', 'OK'), step('upgrade', 'OK')]) });
  const b = await world.peer('b');
  await pair(world, a, b);
  await b.peer.peers.change('a', { blocked: true });
  const trace = await world.clock.until(a.peer.paths.trace('b', live()));
  expect(trace).toMatchObject({ reached: false, trouble: { step: 'protocol', code: 'REFUSED' } });
});

test('a link that is there only since the attempts is asked nothing: its other side may be about to close it', async () => {
  const world = testWorld();
  const closed = step('upgrade', 'CLOSED_AFTER_HANDSHAKE');
  const attempt: Paths['attempt'] = async (peer) => {
    world.networks.heal(a.identity.peer, peer);
    await until(world.clock, () => shown(a, 'b')?.state === 'online');
    return { peer, atMs: 0, steps: [closed] };
  };
  const a: TestPeer = await world.peer('a', { paths: fakePaths([closed], { attempt }) });
  const b = await world.peer('b');
  await pair(world, a, b);
  world.networks.cut(a.identity.peer, b.identity.peer);
  await until(world.clock, () => shown(a, 'b')?.state === 'offline');
  const trace = await a.peer.paths.trace('b', live());
  expect(trace).toMatchObject({ reached: false, steps: [{ step: 'upgrade' }], trouble: { step: 'upgrade' } });
});

test('a trace that opens no way gives each step its remedy', async () => {
  const { world, a } = await away([step('dial', 'NOBODY_LISTENS'), step('circuit', 'PEER_NOT_AT_RELAY')]);
  const trace = await world.clock.until(a.peer.paths.trace('b', live()));
  expect(trace).toMatchObject({ reached: false, trouble: { code: 'PEER_NOT_AT_RELAY' } });
  expect(trace.steps.map(({ trouble }) => trouble?.command)).toEqual(['peerai up', 'peerai doctor']);
});

/** What b says when a link comes up, but for its clock. */
const helloOfB = {
  name: 'b',
  version: '0',
  addresses: [],
  http: undefined,
  sessions: undefined,
  frames: undefined,
  leases: [],
};

test.each([
  [60_000, undefined],
  [60_001, 'CLOCK_SKEW'],
  [-60_001, 'CLOCK_SKEW'],
])('a clock %i ms off is called %s', async (aheadMs, code) => {
  const world = testWorld();
  const [a, b] = [await world.peer('a'), await world.peer('b')];
  await pair(world, a, b);
  // b's own node says hello with another clock; nobody moves the clock meanwhile.
  const network = world.networks.join(b.identity.peer);
  const nowMs = world.clock.nowMs() + aheadMs;
  const told = callMethod(
    { network, clock: world.clock },
    a.identity.peer,
    helloMethod,
    { ...helloOfB, nowMs },
    { signal: live() },
  );
  await told;
  await until(world.clock, () => shown(a, 'b')?.state === 'online');
  expect(shown(a, 'b')?.trouble?.code).toBe(code);
  const check = (await a.peer.doctor.check()).checks.find(({ title }) => title === 'b');
  expect(check?.state).toBe(code === undefined ? 'ok' : 'look');
});

test('an older hello says nothing of its clock', () => {
  expect(hello.decode(hello.encode({ ...helloOfB, nowMs: undefined })).nowMs).toBeUndefined();
});

test('how far this peer is reached follows from its addresses, its relays and what others see', async () => {
  let circuits: string[] = [];
  let observed: { address: string; seenBy: number }[] = [];
  const paths = fakePaths([], { observed: () => observed });
  const { peer } = await testWorld().peer('a', { paths, circuits: () => circuits });
  expect(peer.paths.net()).toMatchObject({ reachability: { scope: 'public' }, behindRouter: null });
  circuits = ['/ip4/192.0.2.9/tcp/4001/p2p/12D3R/p2p-circuit'];
  observed = [{ address: '/ip4/198.51.100.4/tcp/61000', seenBy: 2 }];
  const net = peer.paths.net();
  expect(net.addresses.map(({ scope }) => scope)).toEqual(['relayed', 'public']);
  expect(net.behindRouter).toBe(true);
  expect(net.reachability.text).toContain('behind a router');
  observed = [...observed, { address: '/ip4/192.0.2.1/tcp/61000', seenBy: 1 }];
  expect(peer.paths.net().behindRouter).toBe(false);
});

test.each([
  ['127.0.0.1', 'machine', 'Only programs on this machine'],
  ['192.168.1.9', 'lan', 'its relay is there too'],
])('through a relay at %s nobody comes further than to it', async (host, scope, text) => {
  const circuits = (): string[] => [`/ip4/${host}/tcp/4001/p2p/12D3R/p2p-circuit`];
  let checked: CheckedAddress[] = [];
  const { peer } = await testWorld().peer('a', { paths: fakePaths([], { checked: () => checked }), circuits });
  const address = peer.paths.net().addresses[1]?.address.split('/p2p/')[0] ?? '';
  checked = [{ address, state: 'unreachable', by: '12D3' as PeerId, atMs: 1 }];
  expect(peer.paths.net().reachability).toMatchObject({ scope, text: expect.stringContaining(text) as string });
});

test('each address is reachable, not, or unknown, with who tried it', async () => {
  const [one, other] = ['12D3one', '12D3other'] as PeerId[];
  if (one === undefined || other === undefined) throw new Error('two were asked for');
  let checked: CheckedAddress[] = [];
  const paths = fakePaths([], { checked: () => checked });
  const { peer } = await testWorld().peer('a', {
    paths,
    circuits: () => ['/ip4/192.0.2.9/tcp/1/p2p/12D3R/p2p-circuit'],
  });
  const own = peer.paths.net().reachability.addresses;
  expect(own.map(({ scope, state }) => `${scope} ${state}`)).toEqual(['relayed unknown', 'public unknown']);
  const address = own[1]?.address.split('/p2p/')[0] ?? '';
  checked = [{ address, state: 'unreachable', by: one, atMs: 5 }];
  expect(peer.paths.net().reachability).toMatchObject({
    scope: 'relayed',
    text: expect.stringContaining('tried to dial it from outside and could not') as string,
    addresses: [{}, { state: 'unreachable', checkedBy: [one], checkedAtMs: 5 }],
  });
  checked = [...checked, { address, state: 'reachable', by: other, atMs: 7 }];
  expect(peer.paths.net().reachability).toMatchObject({
    scope: 'public',
    text: 'Anybody can dial this peer: a relay did.',
    addresses: [{}, { state: 'reachable', checkedBy: [other], checkedAtMs: 7 }],
  });
  checked = [{ address: '/ip4/198.51.100.4/tcp/4001', state: 'unreachable', by: one, atMs: 9 }];
  expect(peer.paths.net().reachability.addresses[2]).toEqual({
    address: '/ip4/198.51.100.4/tcp/4001',
    scope: 'public',
    state: 'unreachable',
    checkedBy: [one],
    checkedAtMs: 9,
  });
});

test('what STUN servers say of the router is shown, and nothing of it where there is no WebRTC', async () => {
  let nat: NatFacts = { isKnown: true, stunServers: [], turnServers: [] };
  const { peer } = await testWorld().peer('a', { paths: fakePaths([], { nat: () => nat }) });
  expect(peer.paths.net()).toMatchObject({ behindRouter: null, reachability: { nat: { mapping: null } } });
  nat = {
    isKnown: true,
    stunServers: [{ server: 's:1', seenAs: '198.51.100.4:61000' }, { server: 's:2' }],
    turnServers: ['t:1'],
  };
  expect(peer.paths.net().reachability.nat).toEqual({
    isKnown: true,
    mapping: null,
    stunServers: [
      { server: 's:1', seenAs: '198.51.100.4:61000' },
      { server: 's:2', seenAs: null },
    ],
    turnServers: ['t:1'],
  });
  for (const [mapping, behindRouter] of [
    ['same', true],
    ['differs', true],
    ['none', false],
  ] as const) {
    nat = { ...nat, mapping };
    expect(peer.paths.net()).toMatchObject({ behindRouter, reachability: { nat: { mapping } } });
  }
  const without = await testWorld().peer('b', { paths: fakePaths([]) });
  expect(without.peer.paths.net().reachability.nat).toBeNull();
});
