import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { toyBatch, toyCorpus, toySizes } from '../../../test/toy.ts';
import { createNodeRuntime } from '../../node/runtime.ts';
import { seededUnit } from '../../train/random.ts';
import { allExpansions } from '../corpus/expand.ts';
import { hashText } from '../hash.ts';
import { type Heard, questionFeatures } from '../listener.ts';
import { pieceCount } from '../sizes.ts';
import { createSplit } from '../split.ts';
import { createTokenizer, special } from '../tokenizer.ts';
import { questionBatch, recitalBatch } from './batches.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint-file.ts';
import { createSampler, type Recital, sampleRecipe } from './samples.ts';
import { learningRateAt, schedule } from './schedule.ts';
import { createNanoTraining, type NanoCheckpoint, type NanoTraining } from './training.ts';
import { tuneGate } from './tune.ts';
import { corpusVocabulary } from './vocabulary.ts';

const { signal } = new AbortController();
const tokenizer = createTokenizer(corpusVocabulary(toyCorpus, pieceCount(toySizes), seededUnit(1)));
let folder: string;

beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'nano-'))));
afterEach(() => rm(folder, { recursive: true }));

describe('training samples', () => {
  const sampler = createSampler(toyCorpus, tokenizer, toySizes, seededUnit(9));
  const recitals = Array.from({ length: 300 }, () => sampler.recital());
  const questions = Array.from({ length: 600 }, () => sampler.question());

  it('of the language model are a question, its topic, and the whole answer to that topic', () => {
    for (const { tokens, answerStart } of recitals) {
      expect(tokens[0]).toBe(special.question);
      expect(tokens.at(-1)).toBe(special.end);
      const topic = (tokens[answerStart - 1] ?? 0) - pieceCount(toySizes);
      expect(tokenizer.decode(tokens.slice(answerStart))).toBe(toyCorpus.intents[topic]?.answer);
    }
    expect(new Set(recitals.map(({ tokens, answerStart }) => tokens[answerStart - 1])).size).toBe(5);
  });

  it('of the listener are of every topic, about one in seven unrelated', () => {
    const shares = Array.from(
      { length: 6 },
      (_, topic) => questions.filter((one) => one.topic === topic).length / questions.length,
    );
    expect(shares[5]).toBeCloseTo(sampleRecipe.unrelatedShare, 1);
    for (const share of shares.slice(0, 5)) expect(share).toBeCloseTo(0.17, 1);
  });

  it('never use a phrasing that is kept back', () => {
    const split = createSplit(toyCorpus);
    const phrasings = new Set(
      toyCorpus.intents.flatMap(({ patterns }) => patterns.flatMap((one) => [...allExpansions(one)])),
    );
    const sampler = createSampler(toyCorpus, tokenizer, toySizes, seededUnit(9), {
      ...sampleRecipe,
      typoShare: 0,
    });
    const drawn = Array.from({ length: 600 }, () => sampler.question().text).filter((text) => phrasings.has(text));
    expect(drawn.length).toBeGreaterThan(400);
    expect(drawn.filter((text) => split(text) !== 'train')).toEqual([]);
    expect([...phrasings].filter((text) => split(text) !== 'train').length).toBeGreaterThan(3);
  });

  it('a corpus without a phrasing to train on, or that does not fit the sizes, is refused', () => {
    const split = createSplit(toyCorpus);
    const kept = Array.from({ length: 200 }, (_, index) => `word${index}`).filter(
      (word) => split(`${word} ${word}`) === 'test',
    );
    // Both ways through the pattern give the same text, which is kept back.
    const patterns = [`{${kept[0]}|${kept[0]}} {${kept[0]}|${kept[0]}}`];
    const corpus = {
      ...toyCorpus,
      intents: [{ name: 'a', question: 'A?', answer: 'A.', patterns }],
      unrelated: { train: [], test: [] },
    };
    const sizes = { ...toySizes, topics: 1 };
    expect(() => createSampler(corpus, tokenizer, sizes, seededUnit(1)).question()).toThrow('is kept back');
    expect(() => createSampler(corpus, tokenizer, toySizes, seededUnit(1))).toThrow('1 intents');
  });
});

describe('batches', () => {
  it('hold whole recitals, each in a segment of its own, and the next token as target', () => {
    const sampler = createSampler(toyCorpus, tokenizer, toySizes, seededUnit(3));
    const batch = recitalBatch(toyBatch, () => sampler.recital());
    const numbers = (name: string): number[] => Array.from(batch[name]?.data as BigInt64Array, Number);
    const [tokens, segments, positions, targets] = [
      numbers('tokens'),
      numbers('segments'),
      numbers('positions'),
      numbers('targets'),
    ];
    const weights = batch['weights']?.data as Float32Array;
    let inside = 0;
    positions.forEach((place, index) => {
      if ((weights[index] ?? 0) === 0) return;
      expect(segments[place]).toBeGreaterThan(0);
      if (segments[place + 1] === segments[place] && (place + 1) % toyBatch.length !== 0) {
        expect(targets[index]).toBe(tokens[place + 1]);
        inside += 1;
      }
    });
    expect(inside).toBeGreaterThan(20);
    expect(tokens.filter((token, place) => token === special.question && segments[place] === 0)).toEqual([]);
  });

  it('one that does not fit into its row begins the next; one that fits into none is refused', () => {
    const lengths = [4, 4, 7, 3];
    let drawn = 0;
    const draw = (): Recital => {
      const tokens = Array.from({ length: lengths[drawn % 4] ?? 0 }, () => 9);
      drawn += 1;
      return { tokens, answerStart: 2 };
    };
    // Rows of 8: 3 + 3, then 6 + 2, the last tokens being targets only.
    const batch = recitalBatch({ rows: 2, length: 8, learned: 16 }, draw);
    expect(Array.from(batch['segments']?.data as BigInt64Array, Number)).toEqual([
      1, 1, 1, 2, 2, 2, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2,
    ]);
    const long = { tokens: Array.from({ length: 10 }, () => 9), answerStart: 2 };
    expect(() => recitalBatch({ rows: 2, length: 8, learned: 16 }, () => long)).toThrow('does not fit');
    expect(() => recitalBatch({ rows: 2, length: 9, learned: 16 }, () => long)).not.toThrow();
  });

  it('drop what is learned beyond their room', () => {
    const sample: Recital = { tokens: [1, 2, 3, 4], answerStart: 2 };
    const batch = recitalBatch({ rows: 1, length: 9, learned: 5 }, () => sample);
    expect(Array.from(batch['weights']?.data as Float32Array)).toEqual([1, 1, 1, 1, 1]);
    expect(Array.from(batch['positions']?.data as BigInt64Array, Number)).toEqual([1, 2, 4, 5, 7]);
  });

  it('of questions hold features with a share hidden, and the topic', () => {
    const draw = () => ({ text: 'how do i share a model', topic: 3 });
    const whole = questionBatch(toySizes, 2, draw, { featuresDropped: 0 }, seededUnit(1));
    const features = Array.from(questionFeatures('how do i share a model', toySizes.features));
    expect(Array.from(whole['heard']?.data as Float32Array)).toEqual([...features, ...features]);
    expect(Array.from(whole['topics']?.data as BigInt64Array, Number)).toEqual([3, 3]);
    const half = questionBatch(toySizes, 2, draw, { featuresDropped: 0.5 }, seededUnit(1))['heard']
      ?.data as Float32Array;
    const seen = half.filter((value) => value !== 0).length / (2 * features.filter((value) => value !== 0).length);
    expect(seen).toBeCloseTo(0.5, 0);
    expect(half.every((value, index) => value === 0 || value === features[index % features.length])).toBe(true);
  });
});

describe('the gate', () => {
  const topics = new Map(
    toyCorpus.intents.flatMap(({ patterns }, topic) =>
      patterns.flatMap((pattern) => Array.from(allExpansions(pattern), (text): [string, number] => [text, topic])),
    ),
  );
  /** The gate when the first questions that are heard right get these probabilities, and the rest 0.755. */
  const gateFor = (...first: number[]): number => {
    const listen = (text: string): Heard => {
      const topic = topics.get(text);
      return {
        ranking: [],
        topic,
        probability: topic === undefined ? 0 : (first.shift() ?? 0.755),
        scores: new Float32Array(),
      };
    };
    return tuneGate(listen, toyCorpus, 1).minimum;
  };

  it('is the strictest that lets 99 of 100 right answers through', () => {
    expect(gateFor()).toBe(0.75);
    // There are fewer than 100 here: one is more than one in a hundred.
    expect(gateFor(0.2)).toBe(0.2);
  });

  it('lets nothing through where nothing was right', () => {
    expect(
      tuneGate(() => ({ ranking: [], topic: undefined, probability: 1, scores: new Float32Array() }), toyCorpus, 1)
        .minimum,
    ).toBe(0.99);
  });
});

describe('the learning rate', () => {
  it('rises, stays, and falls to its floor', () => {
    expect(learningRateAt(schedule.warmUpSteps / 2, 1000)).toBeCloseTo(schedule.peak / 2, 6);
    expect(learningRateAt(450, 1000)).toBe(schedule.peak);
    expect(learningRateAt(725, 1000)).toBeCloseTo(schedule.peak / 2, 6);
    expect(learningRateAt(1000, 1000)).toBeCloseTo(schedule.peak * schedule.floorShare, 6);
  });
});

describe('a training run', () => {
  it('stopped, saved and resumed is the run that was not stopped', async () => {
    const path = join(folder, 'deep', 'checkpoint');
    const whole = await run(await start(), 12);
    const half = await start();
    await advance(half, 7);
    await saveCheckpoint(path, await half.checkpoint());
    await half[Symbol.asyncDispose]();
    const resume = await loadCheckpoint(path);
    expect(resume?.state.step).toBe(7);
    expect(summary(await run(await start(resume), 5))).toEqual(summary(whole));
  });

  it('with another seed is another run', async () => {
    const [first, second] = [await run(await start(undefined, 1), 2), await run(await start(undefined, 2), 2)];
    expect(hashText(first.state.weights.join())).not.toBe(hashText(second.state.weights.join()));
  });

  it('refuses a checkpoint of another corpus, size or length', async () => {
    const checkpoint = await run(await start(), 1);
    for (const other of [{ corpusHash: 1 }, { steps: 99 }, { sizes: { ...toySizes, layers: 1 } }]) {
      await expect(start({ ...checkpoint, ...other })).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    }
  });

  it('a checkpoint cut anywhere is refused, a missing one is none, and no half file stays', async () => {
    const path = join(folder, 'checkpoint');
    expect(await loadCheckpoint(path)).toBeUndefined();
    await saveCheckpoint(path, await run(await start(), 1));
    expect(await readdir(folder)).toEqual(['checkpoint']);
    const bytes = await readFile(path);
    for (const length of [0, 11, 100, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length));
      await expect(loadCheckpoint(path), `${length} bytes`).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    }
  });
});

function start(resume?: NanoCheckpoint, seed = 1): Promise<NanoTraining> {
  const options = { corpus: toyCorpus, sizes: toySizes, batch: toyBatch, steps: 12, seed, threads: 1, signal };
  return createNanoTraining(
    { runtime: createNodeRuntime() },
    { ...options, ...(resume === undefined ? {} : { resume }) },
  );
}

/** Short, so that a difference is shown in a line and not in a hundred thousand. */
function summary({ state, average, randomWord }: NanoCheckpoint) {
  const hashes = [state.weights, state.firstMoment, state.secondMoment, average].map((values) =>
    hashText(values.join()),
  );
  return { step: state.step, hashes, randomWord };
}

async function advance(training: NanoTraining, steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) await training.next(signal);
}

async function run(training: NanoTraining, steps: number): Promise<NanoCheckpoint> {
  await advance(training, steps);
  const checkpoint = await training.checkpoint();
  await training[Symbol.asyncDispose]();
  return checkpoint;
}
