import { callMethod, createIdentity, nobleCrypto, type PeerId, signRevocation } from '@peerai/core-protocol';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryStore,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { openDevices } from '../pairing/devices.ts';
import { live } from '../testing/steps.ts';
import { keyMethod } from './key-protocol.ts';
import { openKeys } from './keys.ts';

test('the link of a device that ended its own key is cut after `goodbyeMs`, not a millisecond before', async () => {
  const [clock, store, random] = [new ManualClock(), new MemoryStore(), seededRandom(1)];
  const networks = createMemoryNetworks({ clock, random });
  const [identity, device] = [1, 2].map((byte) => createIdentity(nobleCrypto, new Uint8Array(32).fill(byte)));
  if (identity === undefined || device === undefined) throw new Error('two were made');
  const [network, theirs] = [networks.join(identity.peer), networks.join(device.peer)];
  const devices = await openDevices(store);
  const { peer } = device;
  await devices.update(peer, () => ({
    peer,
    name: 'laptop',
    allow: ['chat'],
    blocked: false,
    lease: '0123456789abcdef',
    pairedMs: 0,
    lastSeenMs: 0,
    addresses: [],
  }));
  const cut: (readonly [peer: PeerId, atMs: number])[] = [];
  const keys = await openKeys({
    identity,
    crypto: nobleCrypto,
    clock,
    random,
    network,
    store,
    logger: silentLogger,
    devices,
    ledger: { append: async () => 0n, size: 0n, refusal: undefined },
    messenger: {} as never,
    endShares: async () => 0,
    changed: () => undefined,
    cutOff: async (one) => void cut.push([one, clock.elapsedMs()]),
  });
  keys.start(live());
  const question = { statement: signRevocation(device, clock.nowMs()) };
  const said = callMethod({ network: theirs, clock }, identity.peer, keyMethod, question, { signal: live() });
  expect(await said).toEqual({ known: 1 });
  await clock.advance(limits.goodbyeMs - 1);
  expect(cut).toEqual([]);
  await clock.advance(1);
  expect(cut).toEqual([[peer, limits.goodbyeMs]]);
});
