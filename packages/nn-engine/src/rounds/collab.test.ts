import { createIdentity, type PeerId, type Tensors } from '@peerai/core-protocol';
import { serveBlobs } from '@peerai/core-protocol/blob';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, it } from 'vitest';

import { mlpLayout, mlpLoss, mlpWeights } from '../models/mlp.ts';
import { createNodeRuntime } from '../node/runtime.ts';
import { gaussian, seededUnit } from '../train/random.ts';
import { createTrainer, freshState, type Trainer } from '../train/trainer.ts';
import { trainingGraph } from '../train/training-graph.ts';
import {
  createBlobTable,
  createRuns,
  firstState,
  localSgd,
  type RunEvent,
  type RunSpec,
  trainerLearner,
} from './index.ts';

const widths = [2, 16, 2];
const layout = mlpLayout(widths);
const [rows, peers, rounds, localSteps] = [16, 3, 8, 25];
const { signal } = new AbortController();
const first = mlpWeights(widths, seededUnit(1));
const spec: RunSpec = {
  name: 'same sign or not',
  task: crypto.sha256(new Uint8Array([1])),
  size: layout.size,
  rounds,
  localSteps,
  bits: 4,
  outer: localSgd,
  rule: 'trimmed-mean',
  liars: 0,
  membersMin: peers,
  roundMs: 600_000,
};

it('three that train on a third of the data each come within three points of one that has all of it', async () => {
  const data = examples(240, 5);
  const test = examples(500, 6);
  await using central = await trainer();
  for (let step = 0; step < rounds * localSteps; step += 1) await central.step(batch(data, step), 0.02, signal);
  const whole = accuracy(await central.weights(), test);

  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(2) });
  const random = seededRandom(3);
  const events: RunEvent[] = [];
  const trainers: Trainer[] = [];
  let host: PeerId | undefined;
  const parts: Promise<{ readonly weights: Float32Array }>[] = [];
  for (let part = 0; part < peers; part += 1) {
    const identity = createIdentity(crypto, random.bytes(32));
    const network = networks.join(identity.peer, { isGranted: () => true });
    const blobs = createBlobTable(crypto);
    serveBlobs(network, blobs);
    const own = data.filter((_, index) => index % peers === part);
    const local = await trainer();
    trainers.push(local);
    const learner = trainerLearner(local, { batch: (step) => batch(own, step), learningRate: 0.02 });
    const runs = createRuns({ network, clock, crypto, identity, blobs });
    const ask = host === undefined ? [] : [host];
    const onEvent = (event: RunEvent) => void (host === identity.peer && events.push(event));
    host ??= identity.peer;
    parts.push(runs.takePart({ spec, from: firstState(first), ask, learner, onEvent, signal }));
  }
  const states = await whileTimeGoes(clock, Promise.all(parts));
  for (const one of trainers) await one[Symbol.asyncDispose]();

  const together = states.map(({ weights }) => accuracy(weights, test));
  expect(new Set(together).size).toBe(1);
  expect(whole).toBeGreaterThan(0.9);
  expect(together[0]).toBeGreaterThanOrEqual(whole - 0.03);
  const losses = events.flatMap((event) => (event.type === 'closed' ? [event.loss] : []));
  expect(losses).toHaveLength(rounds);
  expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
});

interface Example {
  readonly x: readonly [number, number];
  readonly label: bigint;
}

/** Whether two numbers have the same sign: no straight line tells. */
function examples(count: number, seed: number): readonly Example[] {
  const random = seededUnit(seed);
  return Array.from({ length: count }, () => {
    const x = [gaussian(random), gaussian(random)] as const;
    return { x, label: x[0] * x[1] > 0 ? 1n : 0n };
  });
}

function batch(own: readonly Example[], step: number): Tensors {
  const random = seededUnit(1_000 + step);
  const chosen = Array.from({ length: rows }, () => own[Math.floor(random() * own.length)] ?? []).flat();
  return {
    features: { type: 'float32', shape: [rows, 2], data: Float32Array.from(chosen.flatMap(({ x }) => x)) },
    labels: { type: 'int64', shape: [rows], data: BigInt64Array.from(chosen, ({ label }) => label) },
  };
}

function trainer(): Promise<Trainer> {
  const graph = trainingGraph({ layout, loss: mlpLoss(widths, rows) });
  return createTrainer({ runtime: createNodeRuntime() }, { graph, initial: freshState(first), signal });
}

/** The forward pass in plain loops. */
function accuracy(weights: Float32Array, test: readonly Example[]): number {
  const [hidden, bias, out, last] = layout.parameters.map(({ offset }) => offset) as [number, number, number, number];
  const at = (index: number): number => weights[index] ?? 0;
  const right = test.filter(({ x, label }) => {
    const units = Array.from({ length: 16 }, (_, unit) =>
      Math.max(0, x[0] * at(hidden + unit) + x[1] * at(hidden + 16 + unit) + at(bias + unit)),
    );
    const [no, yes] = [0, 1].map(
      (kind) => at(last + kind) + units.reduce((sum, value, unit) => sum + value * at(out + unit * 2 + kind), 0),
    ) as [number, number];
    return yes > no === (label === 1n);
  });
  return right.length / test.length;
}

/** Steps are made in real threads, which a manual clock does not wait for. */
async function whileTimeGoes<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const end = (): void => over.abort();
  work.then(end, end);
  while (!over.signal.aborted) {
    await clock.advance(1);
    await new Promise((resolve) => void setTimeout(resolve, 1));
  }
  return work;
}
