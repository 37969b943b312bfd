import { nobleCrypto } from '@peerai/core-protocol';
import { readMutated, seededRandom } from '@peerai/core-protocol/testing';
import { createCluster } from '@peerai/nn-engine/cluster';
import { threadMs } from '@peerai/config/thread-time';
import { describe, expect, test } from 'vitest';
import { heldMethod } from './elsewhere.ts';
import { createGauge, type Judged, type MachineReading, whyNotFree } from './gauge.ts';
import { borrowRequestSchema, lendRequestSchema } from './lending.schema.ts';
import {
  keptAnswer,
  leaseMethod,
  leaseMinutesMax,
  leaseNodesMax,
  nodesMethod,
  plainAnswer,
  plainQuestion,
} from './lending-protocol.ts';
import { lendingLimits as limits } from './limits.ts';
import { workLoad } from './load.ts';
import { microOf } from './offer.ts';
import { decodeNumbers, encodeNumbers, throughCluster, vectorsPerRun } from './work.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('one run', () => {
  test.each([
    ['small', 2, 1],
    ['of many inputs', 1, 256],
    ['large', leaseNodesMax, 2],
  ])('on a cluster that is %s takes so many vectors and no more', (_, nodes, inputs) => {
    const cluster = createCluster({ nodes, inputs, outputs: 1, seed: 1 });
    const most = vectorsPerRun(cluster);
    const numbers = new Float64Array(most * inputs).fill(0.5);
    const outputs = throughCluster(cluster, numbers);
    expect(outputs).toHaveLength(most * nodes);
    expect(Math.max(numbers.length, outputs.length)).toBeLessThanOrEqual(limits.runValuesMax);
    expect(most * nodes * (inputs + 16)).toBeLessThanOrEqual(limits.runWorkMax);
    expect(() => throughCluster(cluster, new Float64Array((most + 1) * inputs))).toThrow(code('LIMIT_EXCEEDED'));
    for (const wrong of [0, inputs * 2 + 1])
      if (wrong % inputs !== 0 || wrong === 0)
        expect(() => throughCluster(cluster, new Float64Array(wrong))).toThrow(code('INVALID_FORMAT'));
  });

  test('gives numbers as they are, to the bit', () => {
    const numbers = Float64Array.of(0.1, -0, 5e-324, Number.MAX_VALUE, -1 / 3);
    expect(decodeNumbers(encodeNumbers(numbers))).toEqual(numbers);
    expect([...encodeNumbers([1])]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    expect(() => decodeNumbers(new Uint8Array(7))).toThrow(code('INVALID_FORMAT'));
  });
});

test('a measurement is of the last `measuresKept` looks', () => {
  let [look, nowMs] = [0, 0];
  // Full memory at the first look alone, empty ever after.
  const read = (): MachineReading => ({ busyMs: 0, totalMs: 1_000 * look, memory: look === 1 ? 1 : 0 });
  const gauge = createGauge({ clock: { elapsedMs: () => nowMs }, read, load: () => 0 });
  const after = (count: number) => {
    while (look < count) {
      look += 1;
      nowMs += limits.measureEveryMs;
      gauge.look();
    }
    const { memory, windowMs } = gauge.mean() ?? {};
    return [memory, windowMs];
  };
  const windowMs = (limits.measuresKept - 1) * limits.measureEveryMs;
  expect(after(limits.measuresKept)).toEqual([1 / limits.measuresKept, windowMs]);
  expect(after(limits.measuresKept + 1)).toEqual([0, windowMs]);
});

describe('what is asked for', () => {
  const wish = { peer: 'a', cluster: { nodes: leaseNodesMax }, minutes: leaseMinutesMax, vectors: [[1]] };
  const lend = {
    nodes: limits.lentNodesMax,
    each: limits.lentNodesMax,
    minutesMax: leaseMinutesMax,
    credits: '999.999999',
  };
  test('is taken at each limit and refused one past it', () => {
    expect(borrowRequestSchema.safeParse(wish).success).toBe(true);
    expect(lendRequestSchema.safeParse(lend).success).toBe(true);
    const state = 'A'.repeat(Math.ceil((limits.stateBytesMax * 4) / 3));
    expect(borrowRequestSchema.safeParse({ ...wish, cluster: { state } }).success).toBe(true);
    const past = [
      { cluster: { nodes: leaseNodesMax + 1 } },
      { minutes: leaseMinutesMax + 1 },
      { minutes: 0 },
      { cluster: { state: `${state}A` } },
      { vectors: [] },
      { vectors: [Array.from({ length: 257 }, () => 1)] },
    ];
    for (const change of past) expect(borrowRequestSchema.safeParse({ ...wish, ...change }).success).toBe(false);
    const pastLend = [
      { nodes: limits.lentNodesMax + 1 },
      { each: 0 },
      { minutesMax: leaseMinutesMax + 1 },
      { credits: '1000' },
      { credits: '0.0000001' },
      { credits: '-1' },
    ];
    for (const change of pastLend) expect(lendRequestSchema.safeParse({ ...lend, ...change }).success).toBe(false);
  });

  test('is paid in whole micro-credits', () => {
    expect([microOf('0.5'), microOf('12'), microOf('999.999999'), microOf('0.000001')]).toEqual([
      500_000n,
      12_000_000n,
      999_999_999n,
      1n,
    ]);
  });
});

describe('a free node', () => {
  const free: Judged = { free: 1, load: 0.29, processor: 0.69, memory: 0.79, agoMs: limits.measureAgeMsMax };
  test('is on a machine below each limit, by a measurement that is not old', () => {
    expect(whyNotFree(free)).toEqual([]);
    const not: [Partial<Judged>, string][] = [
      [{ free: 0 }, 'no node is free'],
      [{ load: limits.freeLoadMax }, 'it works already'],
      [{ processor: limits.freeProcessorMax }, 'its processor is busy'],
      [{ memory: limits.freeMemoryMax }, 'its memory is full'],
      [{ memory: NaN }, 'its memory is full'],
      [{ agoMs: limits.measureAgeMsMax + 1 }, 'the measurement is old'],
      [{ processor: undefined }, 'nothing was measured'],
    ];
    for (const [change, why] of not) expect(whyNotFree({ ...free, ...change })).toEqual([why]);
  });

  test('is measured over the last five looks', () => {
    let [atMs, at] = [0, 0];
    const readings: MachineReading[] = Array.from({ length: 9 }, (_, look) => ({
      busyMs: look < 4 ? 0 : (look - 4) * 500,
      totalMs: look * 1_000,
      memory: look / 10,
    }));
    const gauge = createGauge({
      clock: { elapsedMs: () => atMs },
      read: () => readings[at] ?? { busyMs: 0, totalMs: 0, memory: 0 },
      load: () => (at % 2 === 0 ? 1 : 0),
    });
    expect(gauge.mean()).toBeUndefined();
    for (; at < 9; at += 1) {
      atMs = at * 3_000;
      gauge.look();
    }
    atMs += 1_000;
    const mean = gauge.mean();
    expect({ ...mean, memory: mean?.memory.toFixed(6) }).toEqual({
      load: 0.6,
      processor: 0.5,
      memory: '0.600000',
      agoMs: 1_000,
      windowMs: 12_000,
    });
  });

  test('has little to do: answers and tasks by what is done at once', () => {
    const task = { direction: 'taken', status: 'in_progress' } as const;
    const answering = { active: 1, queued: 1, concurrentMax: 3 };
    expect(workLoad(answering, [], { tasksAtOnce: 1 })).toBe(0.5);
    expect(workLoad(answering, [task, { ...task, direction: 'given' }, { ...task, status: 'completed' }], {})).toBe(
      0.75,
    );
    expect(workLoad({ ...answering, queued: 99 }, [], {})).toBe(1);
  });
});

/** Ten thousand each; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutationsEach = 10_000;
const slowestMsMax = 250;
const question = {
  ...plainQuestion,
  kind: 'run' as const,
  id: new Uint8Array(32),
  n: 3,
  state: createCluster({ nodes: 4, inputs: 2, seed: 1 }).encode(),
  inputs: encodeNumbers([1, 2]),
};
const answer = { ...plainAnswer, outputs: encodeNumbers([1, 2, 3]), receipt: new Uint8Array(300), booked: 2 };
const nodes = {
  nodes: 8,
  free: 4,
  nodeHour: 500_000n,
  minutesMax: 60,
  load: 0.1,
  processor: 0.2,
  memory: 0.3,
  agoMs: 5,
  windowMs: 9,
};
const kept = { n: 1, inputsHash: nobleCrypto.sha256(), outputs: encodeNumbers([1]) };
const decoders: Record<string, { readonly valid: Uint8Array; readonly decode: (bytes: Uint8Array) => unknown }> = {
  'question about a lease': {
    valid: leaseMethod.request.encode(question),
    decode: (bytes) => leaseMethod.request.decode(bytes),
  },
  'answer about a lease': {
    valid: leaseMethod.response.encode(answer),
    decode: (bytes) => decodeNumbers(leaseMethod.response.decode(bytes).outputs ?? bytes),
  },
  'question for nodes': {
    valid: nodesMethod.request.encode({ version: 1 }),
    decode: (bytes) => nodesMethod.request.decode(bytes),
  },
  nodes: {
    valid: nodesMethod.response.encode(nodes),
    decode: (bytes) => whyNotFree(nodesMethod.response.decode(bytes)),
  },
  'question for leases held elsewhere': {
    valid: heldMethod.request.encode({ borrower: new Uint8Array(32).fill(1) }),
    decode: (bytes) => heldMethod.request.decode(bytes),
  },
  'leases held elsewhere': {
    valid: heldMethod.response.encode({ leases: [new Uint8Array(40).fill(1), new Uint8Array(50).fill(2)] }),
    decode: (bytes) => heldMethod.response.decode(bytes),
  },
  'kept answer': { valid: keptAnswer.encode(kept), decode: (bytes) => keptAnswer.decode(bytes) },
};
test.each(Object.entries(decoders))(
  '%s: 10,000 mutations, nothing but our errors, nothing slow',
  (_, { valid, decode }) => {
    const random = seededRandom(81);
    const { slowestMs } = readMutated(valid, decode, { random, nowMs: threadMs, rounds: mutationsEach });
    expect(slowestMs).toBeLessThan(slowestMsMax);
  },
);
