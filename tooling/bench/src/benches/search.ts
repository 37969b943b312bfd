import { join } from 'node:path';
import { createIdentity, type Identity, sealSigned, utf8, wire } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { gaussian, lexicalHash, seededUnit } from '@peerai/nn-engine';
import { lexicalEmbedder, type Memory, memoryLimits, type MemoryQuery, openMemory } from '@peerai/nn-engine/memory';
import { createUsearchIndexes } from '@peerai/nn-engine/node';
import { systemClock, systemRandom } from '@peerai/platform';
import { openStore } from '@peerai/platform/node';
import usearch from 'usearch';
import { freshFolder } from '../folder.ts';
import {
  type Bench,
  type BenchContext,
  elapsedMs,
  interleave,
  processorSeconds,
  type Result,
  resultOf,
} from '../harness.ts';

const [rows, dimensions, clusters, questions, hits] = [100_000, 384, 200, 500, 10];
/** Of the questions, those whose true nearest are looked for, and those asked by relevance of every capsule: both take long. */
const [judgedQuestions, fewQuestions] = [100, 20];
const space = { name: 'bench/1', dimensions, kind: 'semantic' } as const;
const smallRows = 10_000;
const rounds = 5;
/** Of a point around the middle of its cluster, whose values have 1. */
const spread = 0.7;

/** Is searching a durable memory as fast as usearch alone, does it find the nearest, and is a small one quick? */
export const search: Bench = {
  name: 'search',
  async run(context) {
    const large = await searchLarge(context);
    return { results: [...large.results, ...(await searchSmall(context))], notes: large.notes };
  },
};

async function searchLarge({ signal, log }: BenchContext) {
  const { points, asked } = clustered();
  using folder = freshFolder();
  const secret = systemRandom.bytes(32);
  const identity = createIdentity(nodeCrypto, systemRandom.bytes(32));
  const path = join(folder.path, 'store.sqlite');
  const open = async (isIndexed: boolean) => {
    const store = await openStore(path);
    const deps = {
      store: store.room('memory'),
      clock: systemClock,
      random: systemRandom,
      crypto: nodeCrypto,
      identity,
      secret,
    };
    const indexes = createUsearchIndexes({ ...deps, folder: folder.path });
    const memory = await openMemory(isIndexed ? { ...deps, indexes } : deps);
    return { memory, close: async () => (await memory.close(), await store.close()) };
  };
  const filled = await open(true);
  const fillSeconds = (await elapsedMs(() => fill(filled.memory, identity, points, space))) / 1000;
  log(`${rows} capsules on disk after ${fillSeconds.toFixed(0)} s`);
  const indexSeconds = (await elapsedMs(() => filled.memory.indexed(signal))) / 1000;
  log(`indexed after ${indexSeconds.toFixed(0)} s more`);
  await filled.close();

  const judged = asked.slice(0, judgedQuestions);
  const truth = judged.map((vector) => nearest(points, vector));
  const started = performance.now();
  const durable = await open(true);
  await durable.memory.indexed(signal);
  const openSeconds = (performance.now() - started) / 1000;
  const kept = durable.memory.state();
  const raw = usearchAlone(points);
  log('usearch has them too');
  const few = asked.slice(0, fewQuestions);
  try {
    const found = await answers(durable.memory, judged, { ranking: 'similarity' }, signal);
    const rawFound = judged.map((vector) => Array.from(raw.search(vector, hits, 1).keys, Number));
    const relevant = await answers(durable.memory, few, { ranking: 'relevance' }, signal);
    const readings = await interleave(
      {
        memory: () => perSecond(asked, () => answers(durable.memory, asked, { ranking: 'similarity' }, signal)),
        relevance: () => perSecond(few, () => answers(durable.memory, few, { ranking: 'relevance' }, signal)),
        raw: () => perSecond(asked, () => asked.map((vector) => raw.search(vector, hits, 1))),
      },
      { rounds, signal },
    );
    await durable.close();
    log('asked; now once more by looking at every capsule');
    const plain = await open(false);
    const relevantTruth = await answers(plain.memory, few, { ranking: 'relevance' }, signal);
    await plain.close();
    const unit = 'queries/s';
    const atLeast = 'candidate-at-least';
    const results: Result[] = [
      resultOf({
        case: 'nearest 10 of 100 k × 384, against usearch',
        unit,
        candidate: readings.memory,
        baseline: readings.raw,
        goal: 0.9,
      }),
      resultOf({
        case: 'recall@10 of these',
        unit: '',
        candidate: [recall(found, truth)],
        baseline: [recall(rawFound, truth)],
        goal: 0.99,
        rule: atLeast,
      }),
      resultOf({
        case: 'most relevant 10, against usearch’s nearest',
        unit,
        candidate: readings.relevance,
        baseline: readings.raw,
      }),
      resultOf({
        case: 'recall@10 of these',
        unit: '',
        candidate: [recall(relevant, relevantTruth)],
        goal: 0.99,
        rule: atLeast,
      }),
      resultOf({
        case: 'of 100,000 there after reopening',
        unit: 'capsules',
        candidate: [kept.capsules - kept.damaged.length],
        goal: rows,
        rule: atLeast,
      }),
    ];
    const notes = [
      `Per second of processor time, one thread. ${clusters} Gaussian clusters, ${questions} questions of the same clusters (${fewQuestions} for relevance), ${rounds} rounds; usearch alone has the same vectors in float32, in a graph of the same shape, and is asked for keys.`,
      `Checked, sealed and on disk in ${fillSeconds.toFixed(0)} s, indexed after ${indexSeconds.toFixed(0)} s more; opened again with its index in ${openSeconds.toFixed(1)} s.`,
    ];
    return { results, notes };
  } finally {
    await durable.close();
  }
}

async function searchSmall({ signal }: BenchContext): Promise<Result[]> {
  using folder = freshFolder();
  const store = await openStore(join(folder.path, 'store.sqlite'));
  const identity = createIdentity(nodeCrypto, systemRandom.bytes(32));
  const secret = systemRandom.bytes(32);
  const memory = await openMemory({
    store,
    clock: systemClock,
    random: systemRandom,
    crypto: nodeCrypto,
    identity,
    secret,
  });
  const random = seededUnit(3);
  const sentence = () => Array.from({ length: 12 }, () => `word${Math.floor(random() * 5_000)}`).join(' ');
  try {
    await fill(
      memory,
      identity,
      Array.from({ length: smallRows }, () => lexicalHash(sentence())),
      lexicalEmbedder,
    );
    const asked = Array.from({ length: 21 }, sentence);
    const candidate: number[] = [];
    for (const text of asked)
      candidate.push(await elapsedMs(() => memory.search({ text, tags: ['even', 'odd'], qualityMin: 0.5 }, signal)));
    return [
      resultOf({ case: 'a text asked of 10,000 capsules', unit: 'ms', candidate, goal: 50, rule: 'candidate-at-most' }),
    ];
  } finally {
    await memory.close();
    await store.close();
  }
}

/** Points around the middles of clusters, and questions around the same; all of length 1. */
function clustered() {
  const random = seededUnit(1);
  const normal = () => gaussian(random);
  const middles = Array.from({ length: clusters }, () => Float32Array.from({ length: dimensions }, normal));
  const around = (place: number): Float32Array => {
    const row = (middles[place % clusters] ?? new Float32Array()).map((value) => value + spread * normal());
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    return row.map((value) => value / norm);
  };
  return {
    points: Array.from({ length: rows }, (_, place) => around(place)),
    asked: Array.from({ length: questions }, (_, place) => around(place * 7)),
  };
}

/** What a program without a memory would use: usearch's float32, as many neighbours and as many rows looked at as the memory's own index. */
function usearchAlone(points: readonly Float32Array[]): InstanceType<typeof usearch.Index> {
  const index = new usearch.Index({
    dimensions,
    metric: usearch.MetricKind.IP,
    quantization: usearch.ScalarKind.F32,
    connectivity: 16,
    expansion_add: 128,
    expansion_search: 96,
    multi: false,
  });
  points.forEach((point, place) => index.add(BigInt(place), point, 1));
  return index;
}

/** Capsules as docs/protocol/capsule.md has them, signed by the memory's own key: it checks them as any other. */
async function fill(
  memory: Memory,
  identity: Identity,
  vectors: readonly Float32Array[],
  { name, kind }: { readonly name: string; readonly kind: 'semantic' | 'lexical' },
) {
  const embedding = wire.message({
    embedder: wire.string(1),
    kind: wire.oneOf(2, ['semantic', 'lexical']),
    vector: wire.bytes(3),
  });
  const body = wire.message({
    version: wire.uint32(1),
    createdMs: wire.uint53(2),
    level: wire.oneOf(3, ['personal', 'behavioral', 'public']),
    tags: wire.repeated(wire.string(4), 1),
    summary: wire.string(5),
    mediaType: wire.string(6),
    data: wire.bytes(7),
    embedding: wire.nested(9, embedding),
    novelty: wire.double(10),
    importance: wire.double(11),
  });
  const createdMs = Date.now();
  const signed = (vector: Float32Array, place: number): Uint8Array => {
    const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    return sealSigned(
      identity,
      'peerai/capsule/1',
      body.encode({
        version: 1,
        createdMs: createdMs - place * 10,
        level: 'public',
        tags: [place % 2 === 0 ? 'even' : 'odd'],
        summary: `${place}`,
        mediaType: 'text/plain',
        data: utf8(`capsule ${place}`),
        embedding: { embedder: name, kind, vector: bytes },
        novelty: place % 3 === 0 ? 1 : 0.5,
        importance: 0.1,
      }),
    );
  };
  for (let start = 0; start < vectors.length; start += memoryLimits.takeCapsulesMax) {
    const some = vectors.slice(start, start + memoryLimits.takeCapsulesMax);
    for (const result of await memory.take(some.map((vector, index) => signed(vector, start + index))))
      if (result.outcome !== 'taken') throw new Error(JSON.stringify(result));
  }
}

/** By looking at every point. */
function nearest(points: readonly Float32Array[], asked: Float32Array): readonly number[] {
  const scores = points.map((row, place) => {
    let sum = 0;
    for (let index = 0; index < dimensions; index += 1) sum += (row[index] ?? 0) * (asked[index] ?? 0);
    return [sum, place] as const;
  });
  return scores
    .sort((a, b) => b[0] - a[0])
    .slice(0, hits)
    .map(([, place]) => place);
}

async function answers(memory: Memory, asked: readonly Float32Array[], query: MemoryQuery, signal: AbortSignal) {
  const all: (readonly number[])[] = [];
  for (const values of asked) {
    const answer = await memory.search({ ...query, vector: { space, values }, limit: hits }, signal);
    all.push(answer.hits.map(({ capsule }) => Number(capsule.summary)));
  }
  return all;
}

const perSecond = async (asked: readonly unknown[], work: () => unknown): Promise<number> =>
  asked.length / (await processorSeconds(work));

function recall(found: readonly (readonly number[])[], truth: readonly (readonly number[])[]): number {
  const right = truth.map((places, index) => places.filter((place) => found[index]?.includes(place)).length);
  return right.reduce((sum, count) => sum + count, 0) / (truth.length * hits);
}
