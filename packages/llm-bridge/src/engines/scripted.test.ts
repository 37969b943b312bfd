import { type AnswerPart, type LanguageModel, type Prompt } from '@peerai/core-protocol';
import { ManualClock, settle } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { scriptedEngine, scriptedModel } from './scripted.ts';

const never = new AbortController().signal;
const user = (text: string): Prompt => ({ messages: [{ role: 'user', text }] });
const model = (name: string, clock = new ManualClock()): LanguageModel => {
  const found = scriptedModel({ clock }, name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
const all = (parts: AsyncIterable<AnswerPart>): Promise<AnswerPart[]> => Array.fromAsync(parts);
const textOf = (parts: readonly AnswerPart[]): string =>
  parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');

describe('echo', () => {
  it('repeats the last user message, one word a token', async () => {
    const prompt: Prompt = {
      messages: [
        { role: 'system', text: 'be kind' },
        { role: 'user', text: 'first' },
        { role: 'assistant', text: 'echo: first' },
        { role: 'user', text: 'hello  big\nworld ' },
      ],
    };
    const parts = await all(model('echo').generate(prompt, { maxTokens: 100 }, never));
    expect(textOf(parts)).toBe('echo: hello  big\nworld ');
    expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'stop', usage: { promptTokens: 8, answerTokens: 5 } });
  });

  it('gives every text back whole, whatever its white space', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 30 }), async (text) => {
        const parts = await all(model('echo').generate(user(text), { maxTokens: 10_000 }, never));
        expect(textOf(parts)).toBe(`echo: ${text}`);
      }),
      { numRuns: 50 },
    );
  });

  it('ends at maxTokens with reason length, and before a stop text with reason stop', async () => {
    const cut = await all(model('echo').generate(user('a b c'), { maxTokens: 2 }, never));
    expect(textOf(cut)).toBe('echo: a');
    expect(cut.at(-1)).toMatchObject({ reason: 'length', usage: { answerTokens: 2 } });
    const stopped = await all(model('echo').generate(user('a b c'), { maxTokens: 9, stop: ['zzz', ' b'] }, never));
    expect(textOf(stopped)).toBe('echo: a');
    expect(stopped.at(-1)).toMatchObject({ reason: 'stop' });
  });
});

describe('echo-slow', () => {
  it('takes 50 ms a token and stops at once when aborted', async () => {
    const clock = new ManualClock();
    const stopping = new AbortController();
    const got: AnswerPart[] = [];
    const reading = (async () => {
      const parts = model('echo-slow', clock).generate(user('a b'), { maxTokens: 9 }, stopping.signal);
      for await (const part of parts) got.push(part);
    })();
    await clock.advance(49);
    expect(got).toHaveLength(0);
    await clock.advance(1);
    expect(got).toHaveLength(1);
    await clock.advance(50);
    expect(got).toHaveLength(2);
    stopping.abort();
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' });
    expect(clock.pending).toBe(0);
  });
});

describe('lorem-N', () => {
  it('gives exactly N tokens', async () => {
    for (const count of [0, 1, 17, 256]) {
      const parts = await all(model(`lorem-${count}`).generate(user('x'), { maxTokens: 1_000 }, never));
      expect(parts).toHaveLength(count + 1);
      expect(parts.at(-1)).toMatchObject({ usage: { answerTokens: count } });
    }
  });

  it('lets others run after each burst', async () => {
    const clock = new ManualClock();
    const burst = limits.loremBurstTokens;
    // The parts of an answer that stands still when its first burst is over.
    const parts = async (tokens: number): Promise<number> => {
      let count = 0;
      const reading = (async () => {
        for await (const _ of model(`lorem-${tokens}`, clock).generate(user('x'), { maxTokens: 1_000 }, never))
          count += 1;
      })();
      await settle();
      const before = count;
      await clock.advance(0);
      await reading;
      return before;
    };
    expect([await parts(burst), await parts(burst + 1)]).toEqual([burst + 1, burst]);
  });

  it('exists up to its limit and not one token above', () => {
    const clock = new ManualClock();
    expect(scriptedModel({ clock }, `lorem-${limits.loremTokensMax}`)?.card.name).toBe('lorem-1000000');
    expect(scriptedModel({ clock }, `lorem-${limits.loremTokensMax + 1}`)).toBeUndefined();
    for (const name of ['lorem-', 'lorem-x', 'lorem--1', 'lorem-1.5', 'ECHO', '']) {
      expect(scriptedModel({ clock }, name)).toBeUndefined();
    }
  });
});

describe('fail', () => {
  it('gives 3 tokens, then ENGINE_FAILED', async () => {
    const got: AnswerPart[] = [];
    const reading = (async () => {
      for await (const part of model('fail').generate(user('x'), { maxTokens: 9 }, never)) got.push(part);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect(got).toHaveLength(3);
  });
});

describe('The scripted engine', () => {
  it('lists its models and finds those it does not list', async () => {
    const engine = scriptedEngine({ clock: new ManualClock() });
    const names = (await engine.list(never)).map(({ card }) => card.name);
    expect(names).toEqual(['echo', 'echo-slow', 'lorem-100', 'fail']);
    expect((await engine.model('lorem-3', never))?.card.name).toBe('lorem-3');
    expect(await engine.model('mistral', never)).toBeUndefined();
  });

  it('refuses a prompt beyond its context, and takes one that fills it', async () => {
    const words = (count: number): Prompt => user(Array.from({ length: count }, () => 'w').join(' '));
    const { contextTokensMax } = model('lorem-1').card;
    expect(await all(model('lorem-1').generate(words(contextTokensMax), { maxTokens: 1 }, never))).toHaveLength(2);
    await expect(
      all(model('lorem-1').generate(words(contextTokensMax + 1), { maxTokens: 1 }, never)),
    ).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' });
  });

  it('embeds: norm 1, the same for the same text, nearer for texts that share words', async () => {
    const [a, b, c, empty] = (await model('echo').embed?.(['red apples', 'a red apple', 'tax law', ''], never)) ?? [];
    const dot = (x = a, y = a): number =>
      Array.from(x ?? []).reduce((sum, value, index) => sum + value * (y?.[index] ?? 0), 0);
    for (const row of [a, b, c, empty]) expect(dot(row, row)).toBeCloseTo(1, 5);
    expect(dot(a, b)).toBeGreaterThan(dot(a, c));
    expect(await model('fail').embed?.(['red apples'], never)).toEqual([a]);
  });
});
