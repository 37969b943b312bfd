import type { Connection } from '@libp2p/interface';
import type { Link, PeerId } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import type { LinkEntry } from './link-table.ts';
import { createSpareLinks } from './upgrader.ts';

const [low, high] = ['12D3KooWA', '12D3KooWB'] as PeerId[] as [PeerId, PeerId];
const gossip = '/meshsub/1.2.0';

interface Said {
  readonly peer?: PeerId;
  readonly direct?: boolean;
  readonly proven?: boolean;
  readonly protocols?: readonly string[];
  readonly costMs?: number;
}

/** Links as they stand, and what becomes of them over two sweeps so many milliseconds apart. */
async function swept(self: PeerId, links: Readonly<Record<string, Said>>, afterMs: number): Promise<readonly string[]> {
  const clock = new ManualClock(0);
  const closed: string[] = [];
  const entries = Object.entries(links).map(
    ([id, { peer = high, direct = true, proven = true, protocols = [], costMs = 1 }]) => {
      const streams = protocols.map((protocol) => ({ protocol }));
      const close = async (): Promise<void> => void closed.push(id);
      const connection = { id, direct, status: 'open', streams, close } as unknown as Connection;
      return { connection, proven, quality: { costMs }, link: { peer } as Link } as LinkEntry;
    },
  );
  const spares = createSpareLinks(clock, self, () => entries);
  spares.sweep();
  await clock.advance(afterMs);
  spares.sweep();
  return closed;
}

test('of two links that carry nothing one is ended, once both sides had time to measure them', async () => {
  const two = { first: {}, second: { protocols: [gossip] } };
  expect(await swept(low, two, limits.spareLinkMs)).toEqual(['second']);
  expect(await swept(low, two, limits.spareLinkMs - 1)).toEqual([]);
});

test('of two that carry nothing the nearer one is kept', async () => {
  expect(await swept(low, { far: { costMs: 80 }, near: { costMs: 8 } }, limits.spareLinkMs)).toEqual(['far']);
});

test('the side whose id comes second leaves it to the other', async () => {
  expect(await swept(high, { first: { peer: low }, second: { peer: low } }, limits.spareLinkMs)).toEqual([]);
});

test('what carries a channel stays, and is the one that is kept', async () => {
  const busy = { protocols: ['/peerai/chat/1'] };
  expect(await swept(low, { idle: {}, busy }, limits.spareLinkMs)).toEqual(['idle']);
  expect(await swept(low, { one: busy, other: busy }, limits.spareLinkMs)).toEqual([]);
});

test('links of two peers, relayed ones and those that never answered are no spares of each other', async () => {
  const third = '12D3KooWC' as PeerId;
  expect(await swept(low, { one: {}, other: { peer: third } }, limits.spareLinkMs)).toEqual([]);
  expect(await swept(low, { direct: {}, relayed: { direct: false } }, limits.spareLinkMs)).toEqual([]);
  expect(await swept(low, { answers: {}, silent: { proven: false } }, limits.spareLinkMs)).toEqual([]);
});
