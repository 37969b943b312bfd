import type { AnswerPart, LanguageModel, Sampling } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { testClock, toyBatch, toyCorpus, toySizes } from '../../test/toy.ts';
import { limits } from '../limits.ts';
import { createNodeRuntime } from '../node/runtime.ts';
import { evaluateNano } from './evaluate.ts';
import { decodeModelFile, encodeModelFile } from './model-file.ts';
import { createNano } from './nano.ts';
import { nanoCard } from './training/card.ts';
import { exportModel, type Exported } from './training/export.ts';
import { sampleRecipe } from './training/samples.ts';
import { createNanoTraining, type NanoCheckpoint } from './training/training.ts';

const { signal } = new AbortController();
const steps = 260;
let exported: Exported;
let checkpoint: NanoCheckpoint;
let nano: LanguageModel;

beforeAll(async () => {
  const recipe = { ...sampleRecipe, typoShare: 0.3 };
  const options = {
    corpus: toyCorpus,
    sizes: toySizes,
    batch: toyBatch,
    steps,
    seed: 1,
    threads: 1,
    signal,
    recipe,
    learningRatePeak: 6e-3,
  };
  await using training = await createNanoTraining({ runtime: createNodeRuntime() }, options);
  while (training.step < steps) await training.next(signal);
  checkpoint = await training.checkpoint();
  exported = await exportModel(checkpoint, toyCorpus, testClock, 1);
  nano = createNano({ file: async () => exported.file, clock: testClock });
}, 60_000);

describe('a nano model trained on five intents', () => {
  it('says how sure it was of each piece, of its end, and of a refusal', async () => {
    for (const question of ['who are you', 'what is the capital of France', 'hi']) {
      const parts = await collect(nano.generate(prompt(question), { maxTokens: 64 }, signal));
      for (const part of parts) expect(part, question).toMatchObject({ margin: expect.any(Number) });
    }
  });

  it('recites the stored answer for a known question, whatever its case and punctuation', async () => {
    for (const { question, answer } of toyCorpus.intents) expect((await ask(question)).text, question).toBe(answer);
    expect((await ask('  HOW DO I STOP IT?!')).text).toBe('Press Ctrl and C.');
  });

  it('is right on phrasings that training never saw', () => {
    const { known, typos } = exported.evaluation;
    expect(known.total).toBeGreaterThan(10);
    expect(known.share).toBeGreaterThan(0.8);
    expect(typos.share).toBeGreaterThan(0.5);
  });

  it('loses little by int8', () => {
    expect(Math.abs(exported.evaluation.known.share - exported.float.known.share)).toBeLessThanOrEqual(0.05);
  });

  it('refuses what it cannot read and offers three questions, as text and as suggestions', async () => {
    for (const question of ['', '???', 'как дела', 'write a poem about autumn']) {
      const { text, finish } = await ask(question);
      expect(finish.suggestions, question).toHaveLength(3);
      const list = finish.suggestions?.map((item) => `- ${item}`).join('\n');
      expect(text).toBe(`${toyCorpus.refusal}\n\nDid you mean:\n${list}`);
      expect(finish.reason).toBe('stop');
    }
  });

  it('refuses what it knows when its gate asks for more than certainty, and answers when it asks for nothing', async () => {
    const gated = (minimum: number): LanguageModel => {
      const file = encodeModelFile({ ...decodeModelFile(exported.file), gate: { minimum } });
      return createNano({ file: async () => file, clock: testClock });
    };
    expect((await ask('who are you', {}, gated(1.01))).finish.suggestions).toContain('Who are you?');
    expect((await ask('who are you', {}, gated(0))).text).toBe('I am nano, a small guide.');
  });

  it('gives the same answer each time, on one conversation or several at once', async () => {
    const alone = await ask('how do i share my model');
    const together = await Promise.all(
      ['how do i share my model', 'who are you', 'how do i share my model'].map((question) => ask(question)),
    );
    expect(together[0]).toEqual(alone);
    expect(together[2]).toEqual(alone);
  });

  it('says what others need to give the same answers: the file’s hash, and what it computes with', async () => {
    const never = new AbortController().signal;
    const onnx = createNano({ file: async () => exported.file, clock: testClock, runtime: createNodeRuntime() });
    const loops = createNano({ file: async () => exported.file, clock: testClock });
    const weights = nodeCrypto.sha256(exported.file);
    expect(await loops.identify?.(never)).toEqual({ weights, engine: 'nano', version: '1 wasm-simd' });
    expect(await onnx.identify?.(never)).toEqual({ weights, engine: 'nano', version: '1 onnx' });
    let tries = 0;
    const failing = createNano({
      file: async () => ((tries += 1) === 1 ? Promise.reject(new Error('gone')) : exported.file),
      clock: testClock,
    });
    await expect(failing.identify?.(never)).rejects.toThrow('gone');
    expect(await failing.identify?.(never)).toEqual({ weights, engine: 'nano', version: '1 wasm-simd' });
  });

  it('gives the same answer on ONNX Runtime', async () => {
    const onnx = createNano({
      file: async () => exported.file,
      clock: testClock,
      runtime: createNodeRuntime(),
    });
    expect(await ask('who are you', {}, onnx)).toEqual(await ask('who are you'));
  });

  it('reads the last user message and nothing else', async () => {
    const parts = await collect(
      nano.generate(
        {
          messages: [
            { role: 'system', text: 'Answer in French.' },
            { role: 'user', text: 'what does it cost' },
            { role: 'assistant', text: 'Nothing: it is free.' },
            { role: 'user', text: 'who are you' },
          ],
        },
        { maxTokens: 100, temperature: 2, seed: 5 },
        signal,
      ),
    );
    expect(textOf(parts)).toBe('I am nano, a small guide.');
  });

  it('counts its tokens, ends at the most allowed, and at a stop text', async () => {
    const whole = await ask('who are you');
    expect(whole.finish.usage.answerTokens).toBeGreaterThan(5);
    expect(whole.finish.usage.promptTokens).toBeGreaterThan(3);
    expect(whole.finish.usage.estimated).toBeUndefined();
    const cut = await ask('who are you', { maxTokens: 2 });
    expect(cut.finish).toMatchObject({ reason: 'length', usage: { answerTokens: 2 } });
    expect(whole.text.startsWith(cut.text)).toBe(true);
    expect((await ask('who are you', { maxTokens: 0 })).text).toBe('');
    expect((await ask('???', { maxTokens: 2 })).finish).toMatchObject({ reason: 'length', usage: { answerTokens: 2 } });
    const stopped = await ask('who are you', { stop: [', a'] });
    expect(stopped.text).toBe('I am nano');
    expect(stopped.finish.reason).toBe('stop');
  });

  it('refuses a question that is too long, at the limit plus one', async () => {
    const letters = (count: number): string => 'a'.repeat(count);
    await expect(ask(letters(limits.nanoQuestionCharsMax + 1))).rejects.toMatchObject({
      code: 'PROMPT_TOO_LONG',
      details: { unit: 'characters' },
    });
    // So many letters are read, and are too many tokens.
    await expect(ask(letters(limits.nanoQuestionCharsMax))).rejects.toMatchObject({ details: { unit: 'tokens' } });
    const words = (count: number): string => Array.from({ length: count }, () => 'q').join('');
    const tokensOf = async (count: number): Promise<number> => (await ask(words(count))).finish.usage.promptTokens;
    let count = 1;
    const tokensMax = Math.min(limits.nanoQuestionTokensMax, toySizes.context / 2);
    while ((await tokensOf(count)) < tokensMax && count < 200) count += 1;
    expect(await tokensOf(count)).toBe(tokensMax);
    await expect(ask(words(count + 1))).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG', details: { unit: 'tokens' } });
  });

  it('stops when aborted, before and in the middle', async () => {
    await expect(
      collect(nano.generate(prompt('who are you'), { maxTokens: 9 }, AbortSignal.abort(new Error('gone')))),
    ).rejects.toMatchObject({ code: 'ABORTED' });
    const controller = new AbortController();
    const parts: AnswerPart[] = [];
    const run = (async () => {
      for await (const part of nano.generate(prompt('who are you'), { maxTokens: 100 }, controller.signal)) {
        parts.push(part);
        controller.abort(new Error('closed'));
      }
    })();
    await expect(run).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('closed') });
    expect(parts.some((part) => part.type === 'finish')).toBe(false);
  });

  it('loads once, at the first need, and again after a failure', async () => {
    const file = vi.fn<() => Promise<Uint8Array>>(async () => exported.file);
    file.mockRejectedValueOnce(new Error('disk'));
    const lazy = createNano({ file, clock: testClock });
    expect(lazy.card).toMatchObject({ name: 'nano', engine: 'nano', loaded: false, deterministic: true, embeds: true });
    await expect(lazy.warm?.(signal)).rejects.toThrow('disk');
    await Promise.all([lazy.warm?.(signal), lazy.warm?.(signal), ask('who are you', {}, lazy)]);
    expect(file).toHaveBeenCalledTimes(2);
    expect(lazy.card.loaded).toBe(true);
  });

  it('embeds without loading the model, within limits', async () => {
    const file = vi.fn<() => Promise<Uint8Array>>();
    const lazy = createNano({ file, clock: testClock });
    const rows = await lazy.embed?.(['share a model', 'sharing a model'], signal);
    expect(rows?.map((row) => row.length)).toEqual([384, 384]);
    expect(file).not.toHaveBeenCalled();
    const many = (count: number): string[] => Array.from({ length: count }, () => 'a');
    expect(await lazy.embed?.(many(limits.embedTextsMax), signal)).toHaveLength(limits.embedTextsMax);
    await expect(lazy.embed?.(many(limits.embedTextsMax + 1), signal)).rejects.toMatchObject({
      code: 'PROMPT_TOO_LONG',
    });
    const long = (count: number): string[] => ['a'.repeat(count)];
    expect(await lazy.embed?.(long(limits.embedCharsMax), signal)).toHaveLength(1);
    await expect(lazy.embed?.(long(limits.embedCharsMax + 1), signal)).rejects.toMatchObject({
      code: 'PROMPT_TOO_LONG',
    });
  });

  it('a file that is no model says so', async () => {
    const broken = createNano({ file: async () => exported.file.slice(0, 100), clock: testClock });
    await expect(ask('who are you', {}, broken)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  });
});

describe('the evaluation', () => {
  it('counts a refusal as wrong, except for unrelated questions', async () => {
    const silent = scripted(() => undefined);
    const { known, unrelated, unseenPatterns } = await evaluateNano(silent, { corpus: toyCorpus, seed: 1 });
    expect([known.right, known.refused, unrelated.right, unseenPatterns.right]).toEqual([
      0,
      known.total,
      unrelated.total,
      0,
    ]);
  });

  it('takes nothing but the exact stored answer', async () => {
    const almost = scripted(() => `${toyCorpus.intents[0]?.answer} Really.`);
    expect((await evaluateNano(almost, { corpus: toyCorpus, seed: 1 })).known.right).toBe(0);
    const always = scripted(() => toyCorpus.intents[0]?.answer);
    const { known, unrelated } = await evaluateNano(always, { corpus: toyCorpus, seed: 1 });
    expect(known.right).toBeGreaterThan(0);
    expect(known.right).toBeLessThan(known.total);
    expect(unrelated.right).toBe(0);
  });

  it('asks the same questions for the same seed, all different, none of them trained on', async () => {
    const asked = async (seed: number): Promise<string[]> => {
      const questions: string[] = [];
      await evaluateNano(
        scripted((question) => void questions.push(question)),
        { corpus: toyCorpus, seed },
      );
      return questions;
    };
    expect(await asked(1)).toEqual(await asked(1));
    expect(await asked(1)).not.toEqual(await asked(2));
  });

  it('its figures stand in the card', () => {
    const card = JSON.parse(JSON.stringify(nanoCard(checkpoint, exported, toyCorpus, 1))) as {
      measured: { known: { right: number } };
      fileBytes: number;
    };
    expect(card.measured.known.right).toBe(exported.evaluation.known.right);
    expect(card.fileBytes).toBe(exported.file.length);
  });
});

function prompt(text: string) {
  return { messages: [{ role: 'user', text }] } as const;
}

async function ask(question: string, sampling: Partial<Sampling> = {}, model = nano) {
  const parts = await collect(model.generate(prompt(question), { maxTokens: 100, ...sampling }, signal));
  const finish = parts.at(-1);
  if (finish?.type !== 'finish') throw new Error('no finish');
  expect(parts.filter((part) => part.type === 'finish')).toHaveLength(1);
  return { text: textOf(parts), finish };
}

async function collect(stream: AsyncIterable<AnswerPart>): Promise<AnswerPart[]> {
  const parts: AnswerPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

function textOf(parts: readonly AnswerPart[]): string {
  return parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');
}

/** Answers what `reply` says, and refuses where it says nothing. */
function scripted(reply: (question: string) => string | undefined): LanguageModel {
  return {
    specification: 1,
    card: nano.card,
    async *generate({ messages }) {
      const text = reply(messages.at(-1)?.text ?? '');
      const usage = { promptTokens: 1, answerTokens: 1 };
      if (text !== undefined) yield { type: 'text-delta', text };
      yield { type: 'finish', reason: 'stop', usage, ...(text === undefined ? { suggestions: ['a', 'b', 'c'] } : {}) };
    },
  };
}
