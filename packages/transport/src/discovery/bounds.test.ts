import { type PeerId, wire } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, memoryTopics, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createDirectory, directoryProtocol } from './directory.ts';
import type { KnownRecord, RecordBook } from './record-book.ts';

const peerOf = (at: number): PeerId => `12D3KooW${at}` as PeerId;
const list = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const question = wire.message({ what: wire.string(1), own: wire.optional(wire.bytes(2)) });
const live = () => new AbortController().signal;

/** A directory that knows so many records of others, each told as its place, and is connected to so many peers that answer nothing. */
function directory({ knows = 0, connected = 0, learns = false } = {}) {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  const known = (at: number) =>
    ({ bytes: Uint8Array.of(at, 1), record: { peer: peerOf(at), sequence: 1 } }) as KnownRecord;
  const records = list(knows, known);
  const put = (): KnownRecord | undefined => {
    if (!learns) return undefined;
    const one = known(records.length);
    records.push(one);
    return one;
  };
  const book = { match: () => [...records], holds: () => false, put } as unknown as RecordBook;
  const peers = list(connected, (at) => peerOf(1_000 + at));
  const asked = new Set<PeerId>();
  for (const peer of peers)
    networks.join(peer).answer(directoryProtocol, async (channel) => {
      asked.add(peer);
      // A neighbour that never stops telling.
      if (learns) for (let at = 0; ; at += 1) await channel.send(Uint8Array.of(at % 256, 2));
      await channel.close();
    });
  const network = networks.join(peerOf(0));
  const topics = { ...memoryTopics(networks, peerOf(0)), subscribers: () => [] } as never;
  const made = createDirectory({
    network,
    topics,
    clock,
    book,
    intake: { take: () => true, sources: 0 },
    connected: () => peers,
  });
  made.run(live());
  /** What it tells somebody who asks for this. */
  const told = async (what: string): Promise<number> => {
    const channel = await networks.join(peerOf(1)).open(peerOf(0), directoryProtocol, { signal: live() });
    await channel.send(question.encode({ what, own: undefined }));
    let count = 0;
    for await (const _ of channel) count += 1;
    return count;
  };
  const found = async (): Promise<number> => {
    let count = 0;
    for await (const _ of made.find('model:x', live())) count += 1;
    return count;
  };
  return { clock, told, found, asked };
}

test('an answer has `recordsPerFindMax` records, and what is looked for `findTextCharsMax` characters', async () => {
  const most = limits.recordsPerFindMax;
  for (const knows of [most, most + 1]) {
    const { clock, told } = directory({ knows });
    expect(await clock.until(told('x'.repeat(limits.findTextCharsMax)))).toBe(most);
    expect(await clock.until(told('x'.repeat(limits.findTextCharsMax + 1)))).toBe(0);
  }
});

test('one search asks `findPeersMax` of those that are connected', async () => {
  for (const connected of [limits.findPeersMax, limits.findPeersMax + 1]) {
    const { clock, found, asked } = directory({ connected });
    await clock.until(found());
    expect(asked.size).toBe(limits.findPeersMax);
  }
});

test('of a neighbour that never stops telling a search takes `recordsPerFindMax` records', async () => {
  const { clock, found } = directory({ connected: 1, learns: true });
  expect(await clock.until(found())).toBe(limits.recordsPerFindMax);
});
