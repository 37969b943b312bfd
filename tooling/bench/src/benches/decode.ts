import type { LanguageModel } from '@peerai/core-protocol';
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
const llamaCpp: Result = notMeasured({ ...row, case: 'nano, against node-llama-cpp on the same weights', goal: 0.8 });

/** Tokens a second of the nano model on one core? */
export const decode: Bench = {
  name: 'decode',
  async run({ signal }) {
    const model = shippedNano();
    if (model === undefined) return { results: [notMeasured(absolute), llamaCpp], notes: [nanoMissing] };
    await model.warm?.(signal);
    const readings = await interleave(
      { whole: () => wholeRate(model, signal), decode: () => decodeRate(model, signal) },
      { rounds, signal },
    );
    return {
      results: [
        resultOf({ ...absolute, candidate: readings.decode }),
        resultOf({ ...row, case: 'nano, by the clock, reading the question included', candidate: readings.whole }),
        llamaCpp,
      ],
      notes: [
        'One core: tokens a second of processor time, the question cancelled out. node-llama-cpp is not installed: that row is not measured.',
      ],
    };
  },
};

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
