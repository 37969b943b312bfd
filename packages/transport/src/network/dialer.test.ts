import type { Connection } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { realClock } from '../testing/index.ts';
import { dialAddress, dialPlan } from './dialer.ts';

const relay = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp';
const [tcp, ws] = ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2/ws'] as const;

/** A transport whose dials end when and as a test says; each connection notes that it was ended. */
function createTransport() {
  const dials = new Map<string, PromiseWithResolvers<Connection>>();
  const ended: string[] = [];
  const dial = (address: Multiaddr, { onProgress }: { onProgress: (event: { type: string }) => void }) => {
    const asked = Promise.withResolvers<Connection>();
    dials.set(address.toString(), asked);
    for (let step = 0; step <= limits.dialStepsMax; step += 1) onProgress({ type: `step ${step}` });
    return asked.promise;
  };
  const connect = (address: string): void => {
    const connection = { address, abort: () => ended.push(address) } as unknown as Connection;
    dials.get(address)?.resolve(connection);
  };
  return { components: { transportManager: { dial } } as unknown as Components, connect, ended, dials };
}

test('of two addresses that both answer one becomes the link, and the other is ended', async () => {
  const { components, connect, ended } = createTransport();
  const plan = { direct: [tcp, ws], relayed: [], webrtc: [], file: [], unusable: [] };
  const signal = new AbortController().signal;
  const options = { directOnly: false, timeoutMs: 5_000, addressMs: 5_000, signal };
  const dialled = dialPlan(components, realClock, plan, options);
  connect(ws);
  connect(tcp);
  expect(await dialled).toMatchObject({ address: ws });
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(ended).toEqual([tcp]);
});

test('a connection that comes about after nobody waits for it any more is ended', async () => {
  const { components, connect, ended } = createTransport();
  const stopping = new AbortController();
  const dialled = dialAddress(components, realClock, tcp, 5_000, stopping.signal);
  stopping.abort(new Error('another was quicker'));
  await expect(dialled).rejects.toThrow('another was quicker');
  connect(tcp);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(ended).toEqual([tcp]);
});

test('so many addresses of a peer are dialled at once and not one more', async () => {
  const { components, connect, dials } = createTransport();
  const direct = Array.from({ length: limits.dialAddressesMax + 1 }, (_, port) => `/ip4/127.0.0.1/tcp/${port + 1}`);
  const plan = { direct, relayed: [], webrtc: [], file: [], unusable: [] };
  const signal = new AbortController().signal;
  const dialled = dialPlan(components, realClock, plan, {
    directOnly: false,
    timeoutMs: 5_000,
    addressMs: 5_000,
    signal,
  });
  expect([...dials.keys()]).toEqual(direct.slice(0, limits.dialAddressesMax));
  connect(direct[0] ?? '');
  await dialled;
});

test('of what libp2p tells of a dial so many steps are kept and not one more', async () => {
  const { components, connect } = createTransport();
  const begun: string[] = [];
  const dialled = dialAddress(components, realClock, tcp, 5_000, new AbortController().signal, begun);
  connect(tcp);
  await dialled;
  expect([begun.length, begun.at(-1)]).toEqual([limits.dialStepsMax, `step ${limits.dialStepsMax - 1}`]);
});

test.each([
  ['quicAfterMs', limits.quicAfterMs, { direct: [tcp, '/ip4/127.0.0.1/udp/3/quic-v1'], relayed: [] }],
  [
    'relayHeadStartMs',
    limits.relayHeadStartMs,
    { direct: [tcp], relayed: [`/ip4/127.0.0.1/tcp/4/p2p/${relay}/p2p-circuit`] },
  ],
])('what is quicker to come up has a head start of `%s`', async (_, ms, ways) => {
  const { components, dials } = createTransport();
  const clock = new ManualClock();
  const stopping = new AbortController();
  const plan = { ...ways, webrtc: [], file: [], unusable: [] };
  const options = { directOnly: false, timeoutMs: 5_000, addressMs: 5_000, signal: stopping.signal };
  const dialled = dialPlan(components, clock, plan, options);
  dialled.catch(() => undefined);
  await clock.advance(ms - 1);
  expect([...dials.keys()]).toEqual([tcp]);
  await clock.advance(1);
  expect(dials.size).toBe(2);
  stopping.abort(new Error('enough'));
});
