import { utf8 } from '@peerai/core-protocol';
import { MemoryShelf } from '@peerai/core-protocol/testing';
import { gaussian, seededUnit } from '@peerai/nn-engine';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import {
  trainingJoinSchema,
  trainingRequestSchema,
  type TrainingRequest,
  type TrainingRunView,
} from '../training/training.schema.ts';
import type { Permission } from '../pairing/permissions.ts';
import { type PeerOptions, type TestPeer, type TestWorld, testWorld } from './peers.ts';
import { whileTimeGoes } from './real-time.ts';
import { live, pair } from './steps.ts';

export { untilTrained, whileTimeGoes } from './real-time.ts';

const trainingRuntime = async () => createNodeRuntime();

/** A table: whether two numbers have the same sign. No straight line tells. */
export function signs(rows: number, seed: number): string {
  const random = seededUnit(seed);
  const lines = Array.from({ length: rows }, () => {
    const [x, y] = [gaussian(random), gaussian(random)];
    return `${x.toFixed(4)},${y.toFixed(4)},${x * y > 0 ? 'same' : 'other'}`;
  });
  return ['x,y,sign', ...lines, ''].join('\n');
}

export interface TrainingTown {
  readonly world: TestWorld;
  readonly peers: readonly TestPeer[];
  readonly shelves: readonly MemoryShelf[];
  /** One of them. */
  readonly at: (index: number) => TestPeer;
  /** As kill -9, and the same peer again. */
  readonly again: (index: number) => Promise<TestPeer>;
}

/** Devices that are all paired with each other and may train together. */
export async function trainingTown(
  count: number,
  allow: readonly Permission[] = ['chat', 'train'],
  more: (index: number) => PeerOptions = () => ({}),
): Promise<TrainingTown> {
  const world = testWorld();
  const shelves = Array.from({ length: count }, (_, index) => more(index).shelf ?? new MemoryShelf());
  const peers: TestPeer[] = [];
  for (const [index, shelf] of shelves.entries())
    peers.push(await world.peer(`peer-${index}`, { ...more(index), seed: index + 1, shelf, trainingRuntime }));
  for (const [index, one] of peers.entries())
    for (const other of peers.slice(index + 1)) await pair(world, one, other, allow);
  const at = (index: number): TestPeer => {
    const peer = peers[index];
    if (peer === undefined) throw new Error('there are fewer peers');
    return peer;
  };
  const again = async (index: number): Promise<TestPeer> => {
    const [store, shelf] = [world.kill(at(index)), shelves[index]];
    if (shelf === undefined) throw new Error('there are fewer peers');
    return world.peer(`peer-${index}`, { seed: index + 1, store, shelf, trainingRuntime });
  };
  return { world, peers, shelves, at, again };
}

export async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield utf8(text);
}
export const readIn = async ({ peer }: TestPeer, text: string, name = 'signs.csv'): Promise<string> =>
  (await peer.training.readIn(name, bytesOf(text))).id;

const small = { rounds: 6, localSteps: 20, compression: 'int4', learningRate: 0.02, roundMs: 3_600_000 } as const;

/** Starts a small run over its own table. */
export async function begin(
  world: TestWorld,
  host: TestPeer,
  more: Partial<TrainingRequest> = {},
): Promise<TrainingRunView> {
  const data = more.data ?? (await readIn(host, signs(120, 1)));
  const model = { kind: 'mlp', label: 'sign', hidden: [16] } as const;
  const wish = trainingRequestSchema.parse({ name: 'signs', model, ...small, ...more, data });
  return whileTimeGoes(world.clock, host.peer.training.begin(wish));
}
/** @param run - name or id of the run. */
export async function join(
  world: TestWorld,
  one: TestPeer,
  run = 'signs',
  text = signs(120, 2),
  file = 'signs.csv',
): Promise<TrainingRunView> {
  const data = await readIn(one, text, file);
  const accepted = trainingJoinSchema.parse({ data, accept: true });
  return whileTimeGoes(world.clock, one.peer.training.join(run, accepted, live()));
}
export async function latest({ peer }: TestPeer): Promise<TrainingRunView> {
  const [run] = await peer.training.list();
  if (run === undefined) throw new Error('no run');
  return run;
}
export async function areDone(...all: readonly TestPeer[]): Promise<boolean> {
  for (const one of all) if ((await latest(one)).state !== 'done') return false;
  return true;
}
