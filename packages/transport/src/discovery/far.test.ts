import type { QueryEvent, SingleKadDHT } from '@libp2p/kad-dht';
import {
  createIdentity,
  nobleCrypto,
  openRecord,
  type PeerId,
  type PeerRecord,
  signRecord,
} from '@peerai/core-protocol';
import { ManualClock, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { createFarDirectory, offersOf } from './far.ts';
import { createIntake } from './intake.ts';
import { boundedRegistrar } from './kad.ts';

const random = seededRandom(11);
const clock = new ManualClock();
const never = new AbortController().signal;

function own(fields: Partial<PeerRecord> = {}): { bytes: Uint8Array; record: PeerRecord } {
  const body = { addresses: [], name: '', sequence: 1, expiresMs: clock.nowMs() + 60_000, models: [], agent: '' };
  const bytes = signRecord(createIdentity(nobleCrypto, random.bytes(32)), { ...body, ...fields });
  return { bytes, record: openRecord(nobleCrypto, bytes, clock.nowMs()) };
}

interface Table {
  size: number;
  isTaken: boolean;
  readonly given: QueryEvent[];
}

/** A DHT of `size` peers that take what is put, or do not. */
function far(table: Table) {
  const puts: number[] = [];
  const answer = async function* (messageName: string): AsyncGenerator<QueryEvent> {
    if (table.isTaken) yield { name: 'PEER_RESPONSE', messageName } as QueryEvent;
  };
  const dht = {
    routingTable: {
      get size() {
        return table.size;
      },
    },
    put() {
      puts.push(clock.elapsedMs());
      return answer('PUT_VALUE');
    },
    provide: () => answer('ADD_PROVIDER'),
    async *get() {
      yield* table.given;
    },
  } as unknown as SingleKadDHT;
  return { puts, directory: createFarDirectory({ dht, crypto: nobleCrypto, clock, logger: silentLogger, random }) };
}

test('a peer is listed under as many names as it may be, its own first, and not under one more', () => {
  const models = Array.from({ length: limits.dhtNamesMax }, (_, index) => `m${index}`);
  const { record } = own({ models: models.slice(1) });
  expect(offersOf(record)).toHaveLength(limits.dhtNamesMax - 1);
  expect(offersOf({ ...record, name: 'attic' })).toHaveLength(limits.dhtNamesMax);
  const offers = offersOf({ ...record, name: 'attic', models });
  expect(offers).toHaveLength(limits.dhtNamesMax);
  expect([offers[0], offers.at(-1)]).toEqual(['node:attic', `model:m${limits.dhtNamesMax - 2}`]);
});

test.each([
  [limits.dhtAnswersEnough - 1, limits.dhtAnswersEnough - 1],
  [limits.dhtAnswersEnough, limits.dhtAnswersEnough],
  [limits.dhtAnswersEnough + 1, limits.dhtAnswersEnough],
])('of %i peers that have a record, %i are heard', async (count, heard) => {
  const { bytes, record } = own();
  const given = Array.from({ length: count }, (_, index) => {
    return { name: 'PEER_RESPONSE', record: { value: bytes }, from: `peer-${index}` } as unknown as QueryEvent;
  });
  const { directory } = far({ size: 1, isTaken: true, given });
  const sources: PeerId[] = [];
  await directory.find(record.peer, ({ source }) => void sources.push(source), never);
  expect(sources).toHaveLength(heard);
});

describe('a record is put', () => {
  const after = async (table: Table, change: () => void, ms: number): Promise<number> => {
    const { puts, directory } = far(table);
    const { bytes, record } = own();
    directory.announce(bytes, record);
    const stopping = new AbortController();
    directory.run(stopping.signal);
    await clock.advance(1);
    const before = puts.length;
    change();
    for (let passed = 0; passed < ms; passed += limits.dhtLookMs) await clock.advance(limits.dhtLookMs);
    stopping.abort();
    await clock.advance(1);
    return puts.length - before;
  };
  const nothing = (): void => undefined;

  test('at each look until a peer has taken it, then not', async () => {
    const table: Table = { size: 1, isTaken: false, given: [] };
    expect(await after(table, nothing, 3 * limits.dhtLookMs)).toBe(3);
    expect(await after(table, () => (table.isTaken = true), 3 * limits.dhtLookMs)).toBe(1);
  });

  test('again when a small DHT has one peer more', async () => {
    const table: Table = { size: 1, isTaken: true, given: [] };
    expect(await after(table, nothing, 3 * limits.dhtLookMs)).toBe(0);
    expect(await after(table, () => (table.size = 2), 3 * limits.dhtLookMs)).toBe(1);
  });

  test('again when a large one has doubled, and not before', async () => {
    const table: Table = { size: limits.dhtCopies, isTaken: true, given: [] };
    expect(await after(table, () => (table.size = 2 * limits.dhtCopies - 1), 3 * limits.dhtLookMs)).toBe(0);
    table.size = limits.dhtCopies;
    expect(await after(table, () => (table.size = 2 * limits.dhtCopies), 3 * limits.dhtLookMs)).toBe(1);
  });

  test('again and again in a small DHT, after ever longer', async () => {
    const table: Table = { size: 1, isTaken: true, given: [] };
    const soonMs = limits.dhtAnnounceSoonMs + limits.dhtLookMs;
    expect(await after(table, nothing, soonMs)).toBe(1);
    expect(await after(table, nothing, 2 * soonMs)).toBe(1);
    expect(await after(table, nothing, 3 * soonMs + limits.dhtLookMs)).toBe(2);
  });
});

test('a peer may send as many bytes of questions as it may, and is cut off at one more; others are not', () => {
  let handler: ((stream: unknown, connection: unknown) => unknown) | undefined;
  const registrar = {
    handle: async (_protocol: string, given: typeof handler) => void (handler = given),
  } as unknown as Components['registrar'];
  const bounded = boundedRegistrar(
    { registrar } as unknown as Components,
    createIntake(clock, limits.dhtBytesPerSourceMax),
  );
  void bounded.handle('/kad', () => undefined);
  const open = (peer: string) => {
    const stream = Object.assign(new EventTarget(), { aborted: 0, abort: () => (stream.aborted += 1) });
    handler?.(stream, { remotePeer: peer });
    const send = (bytes: number): void =>
      void stream.dispatchEvent(Object.assign(new Event('message'), { data: { byteLength: bytes } }));
    return { stream, send };
  };
  const [one, again, other] = [open('a'), open('a'), open('b')];
  one.send(limits.dhtBytesPerSourceMax);
  expect(one.stream.aborted).toBe(0);
  again.send(1);
  other.send(1);
  expect([again.stream.aborted, other.stream.aborted]).toEqual([1, 0]);
});
