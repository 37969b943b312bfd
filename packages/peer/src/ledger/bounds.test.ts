import { PeerAiError, type PeerId, serveMethod, type Store, toBase64Url, type Topics } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { MemoryStore, memoryWorld, type MemoryWorld } from '@peerai/core-protocol/testing';
import { openLedger, type OwnLedger } from '@peerai/ledger';
import { copyLimits } from '@peerai/ledger/sync';
import { encodeAddCheckpoint, witnessLimits } from '@peerai/ledger/witness';
import { afterEach, describe, expect, test } from 'vitest';
import { records } from '../store/records.ts';
import { live } from '../testing/steps.ts';
import { booksLimits as limits } from './limits.ts';
import { type LogAnswer, logMethod, type LogQuestion, plainLogAnswer, plainLogQuestion } from './log-protocol.ts';
import { type LogRoomDeps, openLogRoom } from './log-room.ts';
import { createOffenders, type Offender } from './offenders.ts';

const stopping: AbortController[] = [];
afterEach(() => {
  for (const one of stopping.splice(0)) one.abort();
});
const entry = (bodyBytes = 1) => ({ kind: 'note', body: new Uint8Array(bodyBytes) });
const places = (count: number): number[] => Array.from({ length: count }, (_, place) => place);

interface Writer extends MemoryWorld {
  readonly ledger: OwnLedger;
  readonly peer: PeerId;
}
/** Some peer with a log of so many entries. */
async function writer(seed: number, entries: number, beside?: MemoryWorld): Promise<Writer> {
  const shared = beside === undefined ? {} : { clock: beside.clock, networks: beside.networks };
  const world = memoryWorld({ seed, crypto: nodeCrypto, isGranted: () => true, ...shared });
  const ledger = await openLedger({ ...world, store: world.store.room('ledger') });
  if (entries > 0) await ledger.append(places(entries).map(() => entry()));
  return { ...world, ledger, peer: world.identity.peer };
}
/** A peer that keeps logs of others, and one paired device that answers as a test says; all that is asked is told. */
async function pair(answer: Partial<Record<LogQuestion['kind'], (question: LogQuestion) => LogAnswer>> = {}) {
  const own = await writer(1, 0);
  const device = await writer(2, 0, own);
  const over = new AbortController();
  stopping.push(over);
  const asked: LogQuestion['kind'][] = [];
  const heads = { ...plainLogAnswer, note: (await device.ledger.checkpoint()).note };
  serveMethod(
    device.network,
    logMethod,
    async (question) => {
      asked.push(question.kind);
      const said = answer[question.kind]?.(question) ?? (question.kind === 'heads' ? heads : undefined);
      if (said === undefined) throw new PeerAiError('NOT_FOUND', 'nothing');
      return said;
    },
    { clock: own.clock },
  );
  const openWith = (more: Partial<LogRoomDeps> = {}) =>
    openLogRoom({
      ...own,
      store: own.store.room('logs'),
      ledgerStore: own.store.room('ledger'),
      guard: { saw: async () => false },
      devices: { list: () => [{ peer: device.peer, blocked: false }] },
      events: { emit: () => undefined },
      offenders: createOffenders(own.store.room('offenders')),
      isOnline: () => true,
      showsEntries: true,
      stopping: over.signal,
      ...more,
    } as unknown as LogRoomDeps);
  return { own, device, asked, openWith, clock: own.clock };
}
/** Lines that nobody checks, as long as a note may be with them. */
function longest(note: string): string {
  const line = (bytes: number) => `— witness.example ${Buffer.alloc(bytes).toString('base64')}\n`;
  return `${note}${line(8_700).repeat(witnessLimits.cosignaturesMax - 4)}`;
}

describe('an answer about heads', () => {
  test('tells so many heads and proofs and no more, and fits its message whatever others put under a head', async () => {
    const evidence = new Uint8Array(witnessLimits.evidenceBytesMax);
    const offences = places(limits.evidenceMax + 1).map((place) => ({ evidence: evidence.with(0, place) }));
    const { device, openWith } = await pair();
    const room = openWith({ offenders: { list: () => offences, has: () => false, isRefused: () => false } as never });
    for (const place of places(limits.headsMax)) {
      const { ledger } = await writer(100 + place, 1);
      const { note } = await ledger.checkpoint();
      const entries = await Array.fromAsync(ledger.read(0n, 1n));
      await room.copies.accept({ origin: ledger.origin, size: 1n, note: longest(note) }, 0n, entries, []);
    }
    // And one more: whose log this peer stands for without a copy of it.
    await device.ledger.append([entry()]);
    const { note } = await device.ledger.checkpoint();
    await room.witness.add(encodeAddCheckpoint({ oldSize: 0n, path: [], note }));
    const answer = await room.answer(device.peer, { ...plainLogQuestion, kind: 'heads' });
    expect(answer.notes).toHaveLength(limits.headsMax);
    expect(answer.notes[0]).toBe(note);
    expect(answer.evidence.map(([first]) => first)).toEqual(places(limits.evidenceMax).map((place) => place + 1));
    expect(logMethod.response.encode(answer).length).toBeLessThan(limits.messageBytesMax);
  });
});

describe('a range', () => {
  const range = { ...plainLogQuestion, kind: 'range', from: 0n } as const;
  const counted = async (entries: readonly { readonly kind: string; readonly body: Uint8Array }[]) => {
    const { own, openWith, device } = await pair();
    await own.ledger.append(entries);
    const { origin, size } = own.ledger;
    const answer = await openWith().answer(device.peer, { ...range, origin, size });
    return answer.entries.length;
  };

  test('has as many entries as the limit', async () => {
    expect(await counted(places(copyLimits.rangeEntriesMax).map(() => entry()))).toBe(copyLimits.rangeEntriesMax);
    expect(await counted(places(copyLimits.rangeEntriesMax + 1).map(() => entry()))).toBe(copyLimits.rangeEntriesMax);
  });

  test('has as many bytes as the limit', async () => {
    const { own } = await pair();
    await own.ledger.append([entry(60_000)]);
    const [around = 0] = (await Array.fromAsync(own.ledger.read(0n, 1n))).map(({ length }) => length - 60_000);
    const [each, last] = [60_000, copyLimits.rangeBytesMax - 4 * (60_000 + around) - around];
    const four = places(4).map(() => entry(each));
    expect(await counted([...four, entry(last), entry(0)])).toBe(5);
    expect(await counted([...four, entry(last + 1), entry(0)])).toBe(4);
  });
});

describe('an exchange', () => {
  test('fetches so many ranges, the rest at the next one', async () => {
    const paths: (readonly Uint8Array[])[] = [];
    let [entries, size]: [readonly Uint8Array[], bigint] = [[], 0n];
    const { device, clock, openWith } = await pair({
      range: ({ from = 0n }) => ({
        ...plainLogAnswer,
        entries: entries.slice(Number(from), Number(from) + 1),
        path: paths[Number(from)] ?? [],
      }),
      heads: () => ({ ...plainLogAnswer, note }),
    });
    await device.ledger.append(places(limits.rangesAtOnce + 1).map(() => entry()));
    ({ size } = device.ledger);
    const { note } = await device.ledger.checkpoint();
    entries = await Array.fromAsync(device.ledger.read(0n, size));
    for (let end = 1n; end < size; end += 1n) paths.push(await device.ledger.proveConsistency(end, size));
    const room = openWith();
    const meet = () => clock.until(room.exchange(device.peer, live()));
    await meet();
    expect(await room.copies.view(device.peer)).toMatchObject({ size: BigInt(limits.rangesAtOnce), headSize: size });
    await meet();
    expect(await room.copies.view(device.peer)).toMatchObject({ size });
  });

  test('compares so many logs of others', async () => {
    const notes: string[] = [];
    const { device, asked, clock, openWith } = await pair({ heads: () => ({ ...plainLogAnswer, note, notes }) });
    const { note } = await device.ledger.checkpoint();
    const room = openWith();
    const compared = async () => {
      asked.length = 0;
      await clock.until(room.exchange(device.peer, live()));
      return asked.filter((kind) => kind === 'prefix').length;
    };
    for (const place of places(limits.comparesAtOnce + 1)) {
      const { ledger } = await writer(200 + place, 1);
      const entries = await Array.fromAsync(ledger.read(0n, 1n));
      await room.copies.accept(await ledger.checkpoint(), 0n, entries, []);
      await ledger.append([entry()]);
      notes.push((await ledger.checkpoint()).note);
      if (place === limits.comparesAtOnce - 1) expect(await compared()).toBe(limits.comparesAtOnce);
    }
    expect(await compared()).toBe(limits.comparesAtOnce);
  });

  test('with one device comes no sooner than the limit after the one before, however often it says hello', async () => {
    const { device, asked, clock, openWith } = await pair();
    const room = openWith();
    const met = async () => {
      room.met(device.peer);
      await clock.until(room.idle());
      return asked.filter((kind) => kind === 'heads').length;
    };
    expect([await met(), await met()]).toEqual([1, 1]);
    await clock.advance(limits.exchangeEveryMs - 1);
    expect(await met()).toBe(1);
    await clock.advance(1);
    expect(await met()).toBe(2);
  });

  test('comes by itself when the log grew, at the end of each interval and not before', async () => {
    const { own, asked, clock, openWith } = await pair();
    const room = openWith();
    await own.ledger.append([entry()]);
    await clock.advance(limits.refreshEveryMs - 1);
    await clock.until(room.idle());
    expect(asked).toEqual([]);
    await clock.advance(1);
    await clock.until(room.idle());
    expect(asked).toContain('heads');
    asked.length = 0;
    await clock.advance(limits.refreshEveryMs);
    await clock.until(room.idle());
    expect(asked).toEqual([]);
  });
});

test('of proofs from gossip so many are looked at at once, and so many a minute', async () => {
  let judge: Parameters<Topics['subscribe']>[1] = () => 'accept';
  const { clock, openWith, device } = await pair();
  const topics: Topics = {
    publish: async () => undefined,
    async *subscribe(_topic, asked) {
      judge = asked;
      yield* [];
    },
  };
  openWith({ topics });
  const looked = (count: number) =>
    places(count).filter(() => judge(new Uint8Array(9), device.peer, device.peer) === 'reject').length;
  await clock.advance(0);
  expect(looked(limits.gossip.burst + 1)).toBe(limits.gossip.burst);
  const eachMs = 60_000 / limits.gossip.perMinute;
  await clock.advance(eachMs - 1);
  expect(looked(1)).toBe(0);
  await clock.advance(1);
  expect(looked(2)).toBe(1);
});

test('so many that forked are remembered; one more takes the place of the oldest, also on disk', async () => {
  const store: Store = new MemoryStore();
  const origin = (place: number) => `peer-${place}` as PeerId;
  const rows = records<Partial<Offender> | { readonly evidence: string }>(store, 'offender');
  const evidence = toBase64Url(Uint8Array.of(1));
  const kept = places(limits.offendersMax - 1).map((place) => ({ sinceMs: place, toldBy: origin(0), evidence }));
  await store.commit(kept.map((row) => rows.put(origin(row.sinceMs), row)));
  const opened = async () => {
    const offenders = createOffenders(store);
    await offenders.load();
    return offenders;
  };
  const offenders = await opened();
  const add = (place: number) =>
    offenders.add({ origin: origin(place), evidence: Uint8Array.of(1), sinceMs: place, toldBy: origin(0) });
  expect(await add(9_000)).toBe(true);
  expect([offenders.list().length, offenders.has(origin(0))]).toEqual([limits.offendersMax, true]);
  expect([await add(9_001), await add(9_001)]).toEqual([true, false]);
  for (const all of [offenders, await opened()]) {
    expect(all.list()).toHaveLength(limits.offendersMax);
    expect([0, 1, 9_001].map((place) => all.isRefused(origin(place)))).toEqual([false, true, true]);
  }
  expect(await offenders.lift(origin(5), 1)).toBe(true);
  expect(offenders.list()).toHaveLength(limits.offendersMax);
});
