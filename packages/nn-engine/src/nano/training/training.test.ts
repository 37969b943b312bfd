import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { toyBatch, toyCorpus, toySizes } from '../../../test/toy.ts';
import { createNodeRuntime } from '../../node/runtime.ts';
import { seededUnit } from '../../train/random.ts';
import { hashText } from '../hash.ts';
import { createSplit } from '../split.ts';
import { createTokenizer, special } from '../tokenizer.ts';
import { createBatcher } from './batches.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint-file.ts';
import { createSampler, type Sample } from './samples.ts';
import { learningRateAt, schedule } from './schedule.ts';
import { createNanoTraining, type NanoCheckpoint, type NanoTraining } from './training.ts';
import { corpusVocabulary } from './vocabulary.ts';

const { signal } = new AbortController();
const tokenizer = createTokenizer(corpusVocabulary(toyCorpus, toySizes.vocabulary, seededUnit(1)));
let folder: string;

beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'nano-'))));
afterEach(() => rm(folder, { recursive: true }));

describe('training samples', () => {
  const samples = draw(600);

  it('are a question that is not learned and an answer that is', () => {
    for (const { tokens, weights } of samples) {
      const place = tokens.indexOf(special.answer);
      expect(tokens[0]).toBe(special.question);
      expect(weights).toHaveLength(tokens.length);
      expect(weights.slice(0, place + 1).every((weight) => weight === 0)).toBe(true);
      expect(weights.slice(place + 1).every((weight) => weight > 0)).toBe(true);
    }
  });

  it('never use a phrasing that is kept back', () => {
    const plain = samples.map(({ tokens }) => tokenizer.decode(tokens.slice(1, tokens.indexOf(special.answer))).trim());
    const known = plain.filter((phrase) => !toyCorpus.unrelated.train.includes(phrase));
    // Typos make some look like another phrasing; of those left clean none may be kept back.
    const clean = new Set([
      'thanks',
      'thank you',
      'thanks a lot',
      'what are you called',
      'is it free',
      'is this free of charge',
      'who are you',
    ]);
    expect(known.filter((phrase) => clean.has(phrase)).length).toBeGreaterThan(5);
    expect(known.filter((phrase) => clean.has(phrase) && createSplit(toyCorpus)(phrase) !== 'train')).toEqual([]);
  });

  it('some answers are whole, most are cut, some are the refusal', () => {
    const whole = samples.filter(({ tokens }) => tokens.at(-1) === special.end);
    expect(whole.length / samples.length).toBeGreaterThan(0.05);
    expect(whole.length / samples.length).toBeLessThan(0.2);
    const refused = samples.filter(({ tokens }) =>
      tokenizer.decode(tokens.slice(tokens.indexOf(special.answer) + 1)).startsWith('I do not'),
    );
    expect(refused.length / samples.length).toBeCloseTo(0.12, 1);
  });

  it('a corpus without a phrasing to train on is refused', () => {
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
    expect(createSampler(corpus, tokenizer, seededUnit(1))).toThrow(RangeError);
  });
});

describe('batches', () => {
  it('hold whole samples, each in a segment of its own, and the next token as target', () => {
    const random = seededUnit(3);
    const batch = createBatcher(toyBatch, createSampler(toyCorpus, tokenizer, random), toySizes.features)();
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

  it('carry the signature of each question to the token that asks for its answer', () => {
    const batch = createBatcher(toyBatch, createSampler(toyCorpus, tokenizer, seededUnit(3)), toySizes.features)();
    const tokens = Array.from(batch['tokens']?.data as BigInt64Array, Number);
    const places = Array.from(batch['signaturePlaces']?.data as BigInt64Array, Number);
    const values = batch['signatures']?.data as Float32Array;
    const samples = tokens.filter((token) => token === special.question).length;
    expect(samples).toBeGreaterThan(5);
    for (const [sample, place] of places.entries()) {
      const row = values.slice(sample * 256, (sample + 1) * 256);
      expect(Math.hypot(...row)).toBeCloseTo(sample < samples ? 8 : 0, 4);
      if (sample < samples) expect(tokens[place]).toBe(special.answer);
    }
  });

  it('take no more samples than they have signatures for', () => {
    const sample: Sample = { tokens: [1, 2, 3], weights: [0, 0, 1], question: 'a' };
    const batch = createBatcher({ rows: 2, length: 8, learned: 16, samples: 5 }, () => sample, 16)();
    expect(Array.from(batch['weights']?.data as Float32Array).filter((weight) => weight > 0)).toHaveLength(5);
  });

  it('drop what is learned beyond their room', () => {
    const sample: Sample = { tokens: [1, 2, 3, 4], weights: [0, 0, 1, 1], question: '' };
    const batch = createBatcher({ rows: 1, length: 9, learned: 5 }, () => sample)();
    expect(Array.from(batch['weights']?.data as Float32Array)).toEqual([1, 1, 1, 1, 1]);
    expect(Array.from(batch['positions']?.data as BigInt64Array, Number)).toEqual([1, 2, 4, 5, 7]);
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

function draw(count: number): Sample[] {
  const sampler = createSampler(toyCorpus, tokenizer, seededUnit(9));
  return Array.from({ length: count }, sampler);
}

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
