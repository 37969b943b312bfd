import { createIdentity, type Network, type PeerId } from '@peerai/core-protocol';
import { serveBlobs } from '@peerai/core-protocol/blob';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, seededRandom } from '@peerai/core-protocol/testing';
import {
  createBlobTable,
  createRuns,
  firstState,
  type Learner,
  type OuterStep,
  type RunSpec,
  trainerLearner,
} from '@peerai/nn-engine/rounds';
import { systemClock } from '@peerai/platform';
import type { Text } from './corpus.ts';
import { batchFrom, firstWeights, heldOutJudge, learningRateAt, lossTrainer, modelSize, rowsOf } from './model.ts';

/** Batches of held-out rows that are judged on the way, and at the ends. */
export interface Judged {
  readonly each: number;
  readonly last: number;
  /** Steps between two judgements on the way, a multiple of those of a round; a round’s unless said. */
  readonly steps?: number;
}

export interface Plan {
  readonly members: number;
  readonly rounds: number;
  readonly localSteps: number;
  /** Rows of one member's step. */
  readonly rows: number;
  readonly outer: OuterStep;
  /** What all begin from: the weights of an untrained model unless said. */
  readonly from?: Float32Array;
  readonly judged: Judged;
}

/** Of an element of an update; 1: the signs of the largest alone. */
export type Bits = 1 | 4 | 8;

export const packingName = (bits: Bits): string => (bits === 1 ? 'sparse signs' : `${bits} bits`);

/** One way to train: how well it did after each round, and what crossed the network. */
export interface Curve {
  /** Held-out loss, nats a byte: before the first round, then as often as the plan says. */
  readonly losses: readonly number[];
  /** Over more held-out text: before the first round, and at the end. */
  readonly firstLoss: number;
  readonly lastLoss: number;
  /** Of each peer, the coordinator first. */
  readonly bytesSent: readonly number[];
}

export interface Place {
  readonly text: Text;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** After so many rounds. */
const isJudged = ({ localSteps, judged }: Plan, rounds: number): boolean =>
  (rounds * localSteps) % (judged.steps ?? localSteps) === 0;

/** What one trainer draws from: each member's part by itself, or, where it draws for one member only, all of it. */
function everything({ parts }: Text, members: number): readonly Uint8Array[] {
  if (members === parts.length) return parts;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return Array.from({ length: members }, () => whole);
}

/** A batch's seed: another one for each member and step. */
export const seedOf = (member: number, step: number): number => member * 100_000 + step;

/** One trainer that has all data: each step on what all members would take in theirs, which is what exchanging gradients each step computes. */
export async function trainAlone(plan: Plan, { text, signal, log }: Place): Promise<Curve> {
  const { members, rows, rounds, localSteps, judged, from = firstWeights() } = plan;
  await using trainer = await lossTrainer(rows * members, signal, from);
  await using judge = await heldOutJudge(text.heldOut, signal);
  const losses = [await judge.loss(from, judged.each)];
  const drawnFrom = everything(text, members);
  for (let round = 0; round < rounds; round += 1) {
    for (let local = 0; local < localSteps; local += 1) {
      const step = round * localSteps + local;
      const taken = drawnFrom.flatMap((part, member) => rowsOf(part, rows, seedOf(member, step)));
      await trainer.step(batchFrom(taken), learningRateAt(step, rounds * localSteps), signal);
    }
    if (!isJudged(plan, round + 1)) continue;
    losses.push(await judge.loss(await trainer.weights(), judged.each));
    log(`one trainer, round ${round + 1} of ${rounds}: ${losses.at(-1)?.toFixed(4)} nats`);
  }
  const firstLoss = await judge.loss(from, judged.last);
  return { losses, firstLoss, lastLoss: await judge.loss(await trainer.weights(), judged.last), bytesSent: [] };
}

/** The members' own run over a network in memory. One learns at a time, so that one thread is busy. */
export async function trainTogether(plan: Plan, bits: Bits, { text, signal, log }: Place): Promise<Curve> {
  const { members, rows, rounds, localSteps, judged, from = firstWeights() } = plan;
  const spec: RunSpec = {
    name: 'bench rounds',
    task: crypto.sha256(new Uint8Array()),
    size: modelSize,
    rounds,
    localSteps,
    bits,
    outer: plan.outer,
    rule: 'trimmed-mean',
    liars: 0,
    membersMin: members,
    roundMs: 3_600_000,
  };
  await using judge = await heldOutJudge(text.heldOut, signal);
  await using trainers = new AsyncDisposableStack();
  const networks = createMemoryNetworks({ clock: systemClock, random: seededRandom(1) });
  const random = seededRandom(2);
  const took: Network[] = [];
  const inTurn = turns();
  const losses = [await judge.loss(from, judged.each)];
  const states: ReturnType<ReturnType<typeof createRuns>['takePart']>[] = [];
  let host: PeerId | undefined;
  for (let member = 0; member < members; member += 1) {
    const identity = createIdentity(crypto, random.bytes(32));
    const network = networks.join(identity.peer, { isGranted: () => true });
    const blobs = createBlobTable(crypto);
    serveBlobs(network, blobs);
    const trainer = trainers.use(await lossTrainer(rows, signal, from));
    const learner = trainerLearner(trainer, {
      batch: (step) => batchFrom(rowsOf(text.parts[member] ?? new Uint8Array(), rows, seedOf(member, step))),
      learningRate: (step) => learningRateAt(step, rounds * localSteps),
    });
    const first = member === 0;
    const watched: Learner = {
      learn: (weights, context) =>
        inTurn(async () => {
          // All hold the same weights when a round opens: one of them judges.
          if (first && context.round > 0 && isJudged(plan, context.round)) {
            losses.push(await judge.loss(weights, judged.each));
            log(`${packingName(bits)}, round ${context.round} of ${rounds}: ${losses.at(-1)?.toFixed(4)} nats`);
          }
          return learner.learn(weights, context);
        }),
    };
    const runs = createRuns({ network, clock: systemClock, crypto, identity, blobs });
    const ask = host === undefined ? [] : [host];
    host ??= identity.peer;
    took.push(network);
    states.push(runs.takePart({ spec, from: firstState(from), ask, learner: watched, signal }));
  }
  const [state] = await Promise.all(states);
  const last = state?.weights ?? new Float32Array();
  losses.push(await judge.loss(last, judged.each));
  const [firstLoss, lastLoss] = [await judge.loss(from, judged.last), await judge.loss(last, judged.last)];
  return {
    losses,
    firstLoss,
    lastLoss,
    bytesSent: await Promise.all(took.map((network) => sentOver(network, members - 1))),
  };
}

/** Bytes a peer sent over all its links, as its network counted them. */
async function sentOver(network: Network, linksMax: number): Promise<number> {
  const over = new AbortController();
  const seen = new Map<PeerId, number>();
  // Links as they are come first; a member has one, to the coordinator.
  setTimeout(() => over.abort(), 100);
  for await (const { peer, bytesSent } of network.links(over.signal)) {
    seen.set(peer, bytesSent);
    if (seen.size === linksMax) break;
  }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Work one after the other. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve();
  return (work) => {
    const own = before.then(work, work);
    before = own.catch(() => undefined);
    return own;
  };
}
