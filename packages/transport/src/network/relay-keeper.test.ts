import type { Multiaddr } from '@multiformats/multiaddr';
import { ManualClock, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { keepRelays } from './relay-keeper.ts';

const addressOf = (place: number): string => `/ip4/192.0.2.1/tcp/${4_000 + place}`;

/** A keeper whose dials end as `reach` says, and the times of them. */
function keeper(count: number, reach: (dials: number) => Promise<unknown>, reserve = false) {
  const clock = new ManualClock();
  const dialled: [address: string, atMs: number][] = [];
  const openConnection = (address: Multiaddr) => {
    dialled.push([address.toString(), clock.elapsedMs()]);
    return reach(dialled.length);
  };
  const components = {
    connectionManager: { openConnection },
    transportManager: { getTransports: () => [] },
  } as unknown as Components;
  const stopping = new AbortController();
  const relays = Array.from({ length: count }, (_, place) => addressOf(place));
  keepRelays({ components, clock, logger: silentLogger }, relays, reserve, stopping.signal);
  return { clock, dialled, stopping };
}
const away = () => Promise.reject(new Error('nobody there'));

test.each([
  ['bootstrap nodes', false, limits.bootstrapMax],
  ['relays', true, limits.relaysMax],
])('so many %s are kept', async (_, reserve, most) => {
  for (const more of [0, 1]) {
    const { clock, dialled, stopping } = keeper(most + more, away, reserve);
    await clock.advance(0);
    expect(new Set(dialled.map(([address]) => address)).size).toBe(most);
    stopping.abort();
  }
});

test('one that is away is tried again after pauses that double up to the longest, one that was there is looked at', async () => {
  const pauses = 9;
  const { clock, dialled, stopping } = keeper(1, (dials) => (dials <= pauses ? away() : Promise.resolve({})));
  await clock.advance(5 * limits.relayRetryMsMax);
  stopping.abort();
  const waits = dialled.slice(1).map(([, atMs], place) => atMs - (dialled[place]?.[1] ?? 0));
  const doubled = Array.from({ length: pauses }, (_, place) =>
    Math.min(limits.relayRetryMs * 2 ** place, limits.relayRetryMsMax),
  );
  expect(waits.slice(0, pauses)).toEqual(doubled);
  expect(doubled.at(-1)).toBe(limits.relayRetryMsMax);
  expect(new Set(waits.slice(pauses))).toEqual(new Set([limits.relayCheckMs]));
});
