import type { AnswerPart, LanguageModel, Prompt } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

export interface ModelUnderTest {
  /** Answers any prompt with at least two tokens. */
  readonly model: LanguageModel;
  /** A model whose answer goes on for at least two seconds. */
  readonly slow: LanguageModel;
  /** How many answers the engine behind them works on now: zero soon after an abort, or there is a leak. */
  readonly working?: () => number;
  /** Models that fail, each with the code it must fail with. */
  readonly failing?: readonly { readonly code: string; readonly model: LanguageModel; readonly prompt?: Prompt }[];
  readonly stop?: () => Promise<void> | void;
}

const prompt: Prompt = { messages: [{ role: 'user', text: 'one two three' }] };
const never = new AbortController().signal;
const long = { maxTokens: 1_000 };
const freedMs = 1_000;

/** What every LanguageModel keeps, in real time: a few seconds. @param make - a model for each test anew. */
export function languageModelContract(name: string, make: () => Promise<ModelUnderTest> | ModelUnderTest): void {
  const given = (title: string, run: (under: ModelUnderTest) => Promise<void>): void =>
    it(title, async () => {
      const under = await make();
      try {
        await run(under);
        await until(() => (under.working?.() ?? 0) === 0);
      } finally {
        await under.stop?.();
      }
    });

  describe(`${name} keeps the LanguageModel contract`, () => {
    given('answers with text, then one finish with whole counts, last', async ({ model }) => {
      expect(wholeAnswer(await partsOf(model, 64)).text).not.toBe('');
    });

    given('keeps within maxTokens and says length', async ({ model }) => {
      for (const maxTokens of [1, 2]) {
        const parts = await partsOf(model, maxTokens);
        const { reason, answerTokens } = wholeAnswer(parts);
        expect(parts.length - 1).toBeLessThanOrEqual(maxTokens);
        expect([reason, answerTokens <= maxTokens]).toEqual(['length', true]);
      }
    });

    given('gives the same answer twice where its card says deterministic', async ({ model }) => {
      const [one, other] = [await partsOf(model, 64), await partsOf(model, 64)];
      if (model.card.deterministic) expect(wholeAnswer(one).text).toBe(wholeAnswer(other).text);
    });

    given('answers several at once, each whole', async ({ model }) => {
      const answers = await Promise.all(Array.from({ length: 4 }, () => partsOf(model, 64)));
      for (const parts of answers) expect(wholeAnswer(parts).text).not.toBe('');
    });

    given('asks nothing for a caller that has gone, and throws its reason', async ({ model, working }) => {
      const asking = collect(model.generate(prompt, long, AbortSignal.abort()));
      await expect(asking).rejects.toMatchObject({ code: 'ABORTED' });
      await until(() => (working?.() ?? 0) === 0);
    });

    given('frees the engine within a second when aborted, and throws ABORTED', async ({ slow, working }) => {
      const stopping = new AbortController();
      const parts = slow.generate(prompt, long, stopping.signal)[Symbol.asyncIterator]();
      expect(await parts.next()).toMatchObject({ done: false });
      expect(working?.() ?? 1).toBe(1);
      const startedMs = performance.now();
      const rest = drain(parts);
      stopping.abort();
      await expect(rest).rejects.toMatchObject({ code: 'ABORTED' });
      await until(() => (working?.() ?? 0) === 0);
      expect(performance.now() - startedMs).toBeLessThan(freedMs);
    });

    given('frees the engine within a second when its reader leaves the loop', async ({ slow, working }) => {
      for await (const part of slow.generate(prompt, long, never)) if (part.type === 'text-delta') break;
      const startedMs = performance.now();
      await until(() => (working?.() ?? 0) === 0);
      expect(performance.now() - startedMs).toBeLessThan(freedMs);
    });

    given('stops one answer without stopping another', async ({ slow, model }) => {
      const stopping = new AbortController();
      const one = collect(slow.generate(prompt, long, stopping.signal));
      const other = partsOf(model, 64);
      stopping.abort();
      await expect(one).rejects.toMatchObject({ code: 'ABORTED' });
      expect(wholeAnswer(await other).text).not.toBe('');
    });

    given('fails with its codes, and gives no finish then', async ({ failing = [] }) => {
      for (const { code, model, prompt: asked = prompt } of failing) {
        const got: AnswerPart[] = [];
        await expect(collect(model.generate(asked, long, never), got)).rejects.toMatchObject({ code });
        expect(got.filter(({ type }) => type === 'finish')).toEqual([]);
      }
    });

    given('embeds, where its card says so: one row a text, one length, norm 1', async ({ model }) => {
      if (model.card.embeds !== true) return;
      const rows = (await model.embed?.(['a red apple', 'tax law'], never)) ?? [];
      expect(rows).toHaveLength(2);
      for (const row of rows) {
        expect(row).toBeInstanceOf(Float32Array);
        expect(row).toHaveLength(rows[0]?.length ?? 0);
        expect(Math.hypot(...row)).toBeCloseTo(1, 4);
      }
    });
  });
}

const partsOf = (model: LanguageModel, maxTokens: number): Promise<readonly AnswerPart[]> =>
  collect(model.generate(prompt, { maxTokens }, never));

async function collect(parts: AsyncIterable<AnswerPart>, got: AnswerPart[] = []): Promise<readonly AnswerPart[]> {
  for await (const part of parts) got.push(part);
  return got;
}

function wholeAnswer(parts: readonly AnswerPart[]) {
  const last = parts.at(-1);
  if (last?.type !== 'finish') throw new Error('the finish is not last');
  expect(parts.filter(({ type }) => type === 'finish')).toHaveLength(1);
  const { promptTokens, answerTokens } = last.usage;
  for (const count of [promptTokens, answerTokens]) {
    expect(Number.isSafeInteger(count)).toBe(true);
    expect(count).toBeGreaterThan(0);
  }
  const text = parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');
  return { text, reason: last.reason, answerTokens };
}

async function drain(parts: AsyncIterator<AnswerPart>): Promise<void> {
  for (let next = await parts.next(); next.done !== true; next = await parts.next());
}

/** Polls in real time: what frees the engine is outside of anything that could be awaited. */
async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + freedMs;
  while (!condition() && performance.now() < endMs) await new Promise<void>((resolve) => void setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}
