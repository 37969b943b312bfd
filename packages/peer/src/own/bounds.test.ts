import { createIdentity, type Network, nobleCrypto, type PeerId, serveMethod } from '@peerai/core-protocol';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryStore,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { expect, test, vi } from 'vitest';
import { openClusterBook } from '../clusters/cluster-book.ts';
import { clusterLimits } from '../clusters/limits.ts';
import { type ClusterHead, ownClusters } from '../clusters/own-clusters.ts';
import { createEventHub } from '../events/hub.ts';
import type { Device } from '../pairing/devices.ts';
import { live } from '../testing/steps.ts';
import { ownLimits } from './limits.ts';
import { fromForm, type OwnAnswer, ownAnswer, ownMethod, plainAnswer, plainQuestion, toForm } from './own-protocol.ts';
import { answerOwn, type OwnRoomDeps, pullFrom } from './own-room.ts';
import { createOwnDevices } from './own.ts';
import { digestOf, packed, partsOf } from './parts.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const list = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const idOf = (at: number): string => at.toString(16).padStart(64, '0');
const peerOf = (seed: number): PeerId => createIdentity(nobleCrypto, seededRandom(seed).bytes(32)).peer;
const versionOf = (count: number, from = 1) => Object.fromEntries(list(count, (at) => [peerOf(at + from), 2 ** 52]));
const longest = { name: '\u4e00'.repeat(clusterLimits.clusterNameCharsMax), hash: 'ab'.repeat(32) };
const headOf = (parts: Partial<ClusterHead> = {}): ClusterHead => {
  const counts = {
    seed: 2 ** 32 - 1,
    createdMs: 2 ** 52,
    steps: 2 ** 50,
    learned: 2 ** 50,
    heard: 2 ** 50,
    right: 0.5,
  };
  return { ...longest, version: {}, removed: false, work: 3 * 2 ** 50, row: { shared: true, ...counts }, ...parts };
};

/** A device with these ids and clusters, and one of its owner that answers as the test wants. */
function two({
  held = [],
  later = held,
  heads = [],
  state = new Uint8Array(),
}: {
  readonly held?: readonly string[];
  /** What it holds when it is looked again. */
  readonly later?: readonly string[];
  readonly heads?: readonly ClusterHead[];
  readonly state?: Uint8Array;
} = {}) {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  const join = (peer: PeerId): Network => networks.join(peer, { isGranted: () => true });
  const [me, other] = [peerOf(101), peerOf(102)];
  let known = held;
  const memory = {
    ownIds: () => {
      const now = { held: known, gone: [] };
      known = later;
      return now;
    },
    giveOwn: async () => undefined,
    takeOwn: async () => [],
    bury: async () => 0,
  };
  const merge = vi.fn(async (_: ClusterHead, fetch: () => Promise<Uint8Array>) => (await fetch(), 'taken' as const));
  const clusters = { heads: () => heads, stateOf: () => state, merge };
  const deps: OwnRoomDeps = {
    clock,
    crypto: nobleCrypto,
    network: join(me),
    isOwn: () => true,
    memory: { own: async () => memory },
    clusters: { own: async () => clusters },
  };
  const device = { peer: other, name: 'other', addresses: [], blocked: false, allow: ['own'] } as unknown as Device;
  const pull = (answer: (kind: string) => readonly Partial<OwnAnswer>[]) => {
    serveMethod(join(other), ownMethod, async function* said({ kind }) {
      for (const one of answer(kind)) yield { ...plainAnswer, ...one };
    });
    return clock.until(pullFrom(deps, device, live()));
  };
  const answers = async (kind: 'digest' | 'bucket' | 'clusters' | 'cluster') => {
    const all: OwnAnswer[] = [];
    for await (const one of answerOwn(deps, other, { ...plainQuestion, kind, bucket: 0, name: 'c' })) all.push(one);
    return all;
  };
  return { clock, deps, device, merge, pull, answers, join };
}

test('a part of a memory is told in answers of `idsPerAnswerMax` ids, and its digest in `bucketHashBytes` each', async () => {
  const told = async (count: number) => {
    const { answers } = two({ held: list(count, idOf) });
    return (await answers('bucket')).map(({ held }) => (held?.length ?? 0) / 32);
  };
  expect(await told(ownLimits.idsPerAnswerMax)).toEqual([ownLimits.idsPerAnswerMax]);
  expect(await told(ownLimits.idsPerAnswerMax + 1)).toEqual([ownLimits.idsPerAnswerMax, 1]);
  const [answer] = await two().answers('digest');
  expect(answer?.digest).toHaveLength(ownLimits.bucketsCount * ownLimits.bucketHashBytes);
});

test('a part with `bucketIdsMax` ids is read, and one more is refused', { timeout: 60_000 }, async () => {
  const later = list(ownLimits.bucketIdsMax + 1, idOf);
  const all = packed(later);
  const pulled = (count: number) =>
    two({ later }).pull((kind) => {
      if (kind === 'digest') return [{ digest: digestOf(nobleCrypto, partsOf({ held: [idOf(0)], gone: [] })) }];
      if (kind !== 'bucket') return [{}];
      const ids = all.subarray(0, 32 * count);
      const each = 32 * ownLimits.idsPerAnswerMax;
      return list(Math.ceil(ids.length / each), (at) => ({ held: ids.subarray(at * each, (at + 1) * each) }));
    });
  expect(await pulled(ownLimits.bucketIdsMax)).toMatchObject({ capsules: 0, forgotten: 0 });
  await expect(pulled(ownLimits.bucketIdsMax + 1)).rejects.toThrow(code('LIMIT_EXCEEDED'));
});

test('`clustersToldMax` clusters are told and understood, each with `versionPeersMax` devices, and all fit one message', async () => {
  const version = versionOf(ownLimits.versionPeersMax);
  const heads = list(ownLimits.clustersToldMax + 1, () => headOf({ version }));
  const [answer] = await two({ heads }).answers('clusters');
  const encoded = ownAnswer.encode(answer ?? plainAnswer);
  expect(encoded.length).toBeLessThan(ownLimits.messageBytesMax - 1_024);
  expect(ownAnswer.decode(encoded).clusters.map(fromForm).map(toForm)).toEqual(heads.slice(1).map(toForm));
  const tooMany = {
    clusters: ownAnswer.encode({ ...plainAnswer, clusters: heads.map(toForm) }),
    devices: ownAnswer.encode({
      ...plainAnswer,
      clusters: [toForm(headOf({ version: versionOf(ownLimits.versionPeersMax + 1) }))],
    }),
  };
  for (const bytes of Object.values(tooMany)) expect(() => ownAnswer.decode(bytes)).toThrow(code('INVALID_FORMAT'));
  // A device in a version is one, so that no text of any length is kept here.
  for (const peer of ['', 'x'.repeat(52), `${peerOf(1)}1`])
    expect(() => fromForm(toForm(headOf({ version: { [peer]: 1 } })))).toThrow(code('INVALID_FORMAT'));
});

test('a cluster that `versionPeersMax` devices changed, this one among them, is taken; with one more it stays where it is', async () => {
  const book = await openClusterBook(new MemoryStore(), silentLogger, peerOf(0));
  const events = createEventHub();
  const parts = { events, changed: () => undefined, looked: () => undefined, identity: { peer: peerOf(0) } };
  const clusters = ownClusters({ ...parts, book, crypto: nobleCrypto });
  const gone = (name: string, version: ClusterHead['version']) =>
    clusters.merge(headOf({ name, version, removed: true, row: undefined, work: 0, hash: '' }), () =>
      Promise.reject(new Error()),
    );
  const most = ownLimits.versionPeersMax;
  expect(await gone('full', versionOf(most - 1))).toBe('taken');
  expect(await gone('with-this', versionOf(most, 0))).toBe('taken');
  await expect(gone('over', versionOf(most))).rejects.toThrow(code('LIMIT_REACHED'));
  // Two halves that are too many together.
  await expect(gone('full', versionOf(2, most - 1))).rejects.toThrow(code('LIMIT_REACHED'));
  expect([...book.gone().keys()]).toEqual(['full', 'with-this']);
  // What this device does next with one of them is still understood by the others.
  await book.remove('full');
  const heads = clusters.heads();
  expect(() => ownAnswer.decode(ownAnswer.encode({ ...plainAnswer, clusters: heads.map(toForm) }))).not.toThrow();
});

test('a state goes over in pieces of `pieceBytes`, up to `stateBytesMax`', async () => {
  const lengths = async (bytes: number) =>
    (await two({ state: new Uint8Array(bytes) }).answers('cluster')).map(({ piece }) => piece?.length);
  expect(await lengths(ownLimits.pieceBytes)).toEqual([ownLimits.pieceBytes]);
  expect(await lengths(ownLimits.pieceBytes + 1)).toEqual([ownLimits.pieceBytes, 1]);
  const pulled = async (bytes: number) => {
    const { pull, merge } = two();
    const state = new Uint8Array(bytes);
    const brought = await pull((kind) => {
      if (kind === 'digest') return [{ digest: digestOf(nobleCrypto, partsOf({ held: [], gone: [] })) }];
      if (kind === 'clusters') return [{ clusters: [toForm(headOf())] }];
      const pieces = Math.ceil(bytes / ownLimits.pieceBytes);
      return list(pieces, (at) => ({
        piece: state.subarray(at * ownLimits.pieceBytes, (at + 1) * ownLimits.pieceBytes),
      }));
    });
    expect(merge).toHaveBeenCalledOnce();
    return brought;
  };
  expect(await pulled(ownLimits.stateBytesMax)).toMatchObject({ clusters: 1 });
  expect(await pulled(ownLimits.stateBytesMax + 1)).toMatchObject({
    clusters: 0,
    problem: 'this is no state of a cluster',
  });
});

test('changes are told to the other devices once, `tellAfterMs` after the first of them', async () => {
  const { clock, deps, device, join } = two();
  let told = 0;
  serveMethod(join(device.peer), ownMethod, async function* heard() {
    told += 1;
    yield plainAnswer;
  });
  const [events, stopping] = [createEventHub(), new AbortController()];
  const devices = { get: () => device, list: () => [device] };
  const signal = stopping.signal;
  createOwnDevices({ ...deps, devices, events, logger: silentLogger, isOnline: () => true, stopping: signal }).start();
  await clock.advance(0);
  const change = () => events.emit({ type: 'memory-changed', capsule: null } as never);
  change();
  await clock.advance(ownLimits.tellAfterMs - 1);
  change();
  expect(told).toBe(0);
  await clock.advance(1);
  expect(told).toBe(1);
  await clock.advance(10 * ownLimits.tellAfterMs);
  expect(told).toBe(1);
  stopping.abort();
});
