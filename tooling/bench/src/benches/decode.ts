import type { LanguageModel } from '@peerai/core-protocol';
import { nanoGguf } from '@peerai/nn-engine/export';
import { findLlamaCpp, type LlamaCpp, llamaCppMissing, openLlamaCpp } from '@peerai/nn-engine/export/testing';
import { readNanoFile } from '@peerai/nn-engine/node';
import { freshFolder } from '../folder.ts';
import { type Bench, elapsedMs, interleave, notMeasured, processorSeconds, type Result, resultOf } from '../harness.ts';
import { nanoMissing, shippedNano } from '../nano.ts';

const rounds = 7;
const goalPerSecond = 700;
/** Questions it knows; a short and a long answer of each are timed, so that reading the question cancels out. */
const questions = [
  'what is peerai',
  'how do i share a model',
  'how do i pair another device',
  'what is a relay',
  'is my chat private',
  'how do i install peerai',
];
const shortTokens = 8;
const longTokens = 64;

const row = { unit: 'tokens/s' };
const absolute = { ...row, case: 'nano, one core', goal: goalPerSecond, rule: 'candidate-at-least' } as const;
const against = { ...row, case: 'nano, against node-llama-cpp on the same weights', goal: 0.8 } as const;
/** Any ids do: what is timed is what follows them. About as many as a question has. */
const prompt = Array.from({ length: 12 }, (_, index) => 40 + index);
const contextSize = 256;

/** Tokens a second of the nano model on one core, and of llama.cpp with the same weights? */
export const decode: Bench = {
  name: 'decode',
  async run({ signal }) {
    const model = shippedNano();
    if (model === undefined) return { results: [notMeasured(absolute), notMeasured(against)], notes: [nanoMissing] };
    await model.warm?.(signal);
    const ours = { whole: () => wholeRate(model, signal), decode: () => decodeRate(model, signal) };
    const location = findLlamaCpp();
    if (location === undefined) {
      const readings = await interleave(ours, { rounds, signal });
      return { results: [...ownRows(readings), notMeasured(against)], notes: [oneCore, llamaCppMissing] };
    }
    using folder = freshFolder();
    const gguf = nanoGguf(await readNanoFile(signal));
    await using llama = await openLlamaCpp(location, folder.path, gguf, { contextSize });
    const readings = await interleave({ ...ours, llama: () => llamaRate(llama) }, { rounds, signal });
    const row = resultOf({ ...against, candidate: readings.decode, baseline: readings.llama });
    return { results: [...ownRows(readings), row], notes: [oneCore] };
  },
};

const oneCore =
  'One core: tokens a second of processor time, the question cancelled out; llama.cpp likewise, on one thread, float32 weights of the same values.';

function ownRows(readings: {
  readonly decode: readonly number[];
  readonly whole: readonly number[];
}): readonly Result[] {
  return [
    resultOf({ ...absolute, candidate: readings.decode }),
    resultOf({ ...row, case: 'nano, by the clock, reading the question included', candidate: readings.whole }),
  ];
}

/** As `decodeRate`: a long answer less a short one. */
async function llamaRate(llama: LlamaCpp): Promise<number> {
  let [tokens, seconds] = [0, 0];
  for (const _ of questions) {
    for (const [sign, count] of [
      [-1, shortTokens],
      [1, longTokens],
    ] as const) {
      seconds += sign * (await processorSeconds(async () => (tokens += sign * (await llama.generate(prompt, count)))));
    }
  }
  return tokens / seconds;
}

interface Timed {
  readonly tokens: number;
  /** By the clock, and of the processor. */
  readonly seconds: number;
  readonly processorSeconds: number;
}

async function answer(model: LanguageModel, text: string, maxTokens: number, signal: AbortSignal): Promise<Timed> {
  let [tokens, seconds] = [0, 0];
  const used = await processorSeconds(async () => {
    seconds = (await elapsedMs(async () => (tokens = await countTokens(model, text, maxTokens, signal)))) / 1000;
  });
  return { tokens, seconds, processorSeconds: used };
}

async function countTokens(
  model: LanguageModel,
  text: string,
  maxTokens: number,
  signal: AbortSignal,
): Promise<number> {
  for await (const part of model.generate({ messages: [{ role: 'user', text }] }, { maxTokens }, signal)) {
    if (part.type !== 'finish') continue;
    if (part.suggestions === undefined) return part.usage.answerTokens;
    throw new Error(`nano does not know "${text}"; the bench needs questions it answers`);
  }
  throw new Error('an answer without an end');
}

async function decodeRate(model: LanguageModel, signal: AbortSignal): Promise<number> {
  let [tokens, seconds] = [0, 0];
  for (const question of questions) {
    const short = await answer(model, question, shortTokens, signal);
    const long = await answer(model, question, longTokens, signal);
    tokens += long.tokens - short.tokens;
    seconds += long.processorSeconds - short.processorSeconds;
  }
  return tokens / seconds;
}

async function wholeRate(model: LanguageModel, signal: AbortSignal): Promise<number> {
  let [tokens, seconds] = [0, 0];
  for (const question of questions) {
    const one = await answer(model, question, longTokens, signal);
    tokens += one.tokens;
    seconds += one.seconds;
  }
  return tokens / seconds;
}
