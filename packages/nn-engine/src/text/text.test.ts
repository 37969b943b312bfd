import { Tokenizer } from '@huggingface/tokenizers';
import type { AnswerPart, Prompt, Sampling } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { withMarks } from '../export/byte-model-gguf.ts';
import { initialWeights } from '../models/language-model.ts';
import type { Decoder } from '../nano/plain.ts';
import { decodeModelFile } from '../nano/model-file.ts';
import { createTokenizer } from '../nano/tokenizer.ts';
import { readNanoFile } from '../node/nano-file.ts';
import { seededUnit } from '../train/random.ts';
import { byteCodec, byteTokenizerJson, nanoTokenizerJson, plainDecoder, textModel } from './index.ts';
import { createMargins } from './margins.ts';
import { chooseToken, chooseWithMargin } from './sample.ts';

const live = () => new AbortController().signal;
const card = { name: 'x', engine: 'x', contextTokensMax: 8, memoryBytes: 0, loaded: true, deterministic: false };

/** Says the letter after the last one, and keeps what it was given. */
function alphabet(context: number): { readonly decoder: Decoder; readonly given: number[][] } {
  const given: number[][] = [];
  const decoder: Decoder = {
    name: 'alphabet',
    async open() {
      const tokens: number[] = [];
      given.push(tokens);
      return {
        step(token, wantScores) {
          if (tokens.length >= context) throw new RangeError('full');
          tokens.push(token);
          if (!wantScores) return undefined;
          const scores = new Float32Array(256);
          scores[token === 122 ? 97 : token + 1] = 5;
          return scores;
        },
        close: async () => undefined,
      };
    },
  };
  return { decoder, given };
}

async function ask(decoder: Decoder, context: number, text: string, sampling: Sampling) {
  const model = textModel({
    card: { ...card, fits: true },
    clock: { sleep: async () => undefined, nowMs: () => 0, elapsedMs: () => 0, deadline: () => live() },
    seed: () => 1,
    open: async () => ({ decoder, codec: byteCodec, context }),
  });
  const prompt: Prompt = { messages: [{ role: 'user', text }] };
  const parts: AnswerPart[] = [];
  for await (const part of model.generate(prompt, sampling, live())) parts.push(part);
  const said = parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');
  return { said, finish: parts.at(-1) };
}

test('a model goes on with a text past its context: the oldest half is forgotten', async () => {
  const { decoder, given } = alphabet(8);
  const { said, finish } = await ask(decoder, 8, 'wxyzabcdefg', { maxTokens: 12 });
  expect(said).toBe('hijklmnopqrs');
  expect(finish).toEqual({ type: 'finish', reason: 'length', usage: { promptTokens: 4, answerTokens: 12 } });
  expect(given.map((tokens) => String.fromCodePoint(...tokens))).toEqual(['defghijk', 'ijklmnop', 'nopqr']);
});

test('a stop text ends it and is not said; nothing to read and nothing to say are no faults', async () => {
  const { decoder } = alphabet(64);
  const stopped = await ask(decoder, 64, 'a', { maxTokens: 20, stop: ['ef'] });
  expect(stopped).toMatchObject({ said: 'bcd', finish: { reason: 'stop' } });
  expect(await ask(decoder, 64, '', { maxTokens: 1 })).toMatchObject({ said: '\u000B', finish: { reason: 'length' } });
  expect(await ask(decoder, 64, 'a', { maxTokens: 0 })).toMatchObject({ said: '', finish: { reason: 'length' } });
});

test('a letter of several bytes comes whole, and half a one as U+FFFD', () => {
  const reader = byteCodec.reader();
  const shown = [0xc3, 0xa4, 0xe2].map((byte) => reader.push(byte));
  expect([...shown, reader.end()].join('|')).toBe('|ä||\uFFFD');
});

test('a draw follows temperature, the share of the likeliest, and the random number', () => {
  const scores = Float32Array.of(1, 3, 2);
  expect(chooseToken(scores, {}, () => 0.99)).toBe(1);
  const drawn = (topP: number, random: number) => chooseToken(scores, { temperature: 1, topP }, () => random);
  // softmax: 0.090, 0.665, 0.245
  expect([0.6, 0.7, 0.95].map((random) => drawn(1, random))).toEqual([1, 2, 0]);
  expect([0.6, 0.7, 0.95].map((random) => drawn(0.8, random))).toEqual([1, 1, 2]);
  expect(drawn(0.1, 0.99)).toBe(1);
});

test('a choice is as sure as scores may be wrong without another token', () => {
  const scores = Float32Array.of(1, 3, 2.5, -1);
  expect(chooseWithMargin(scores, {}, () => 0)).toEqual({ token: 1, margin: 0.5 });
  const random = seededUnit(4);
  const off = (by: number): Float32Array => scores.map((score) => score + (2 * random() - 1) * by);
  let [changed, tried] = [0, 0];
  for (let turn = 0; turn < 2_000; turn += 1) {
    const [draw, temperature, topP] = [random(), 0.2 + 2 * random(), turn % 2 === 0 ? 1 : 0.3 + 0.7 * random()];
    const { token, margin } = chooseWithMargin(scores, { temperature, topP }, () => draw);
    // Less than half of the margin each, and it is the same token.
    expect(chooseToken(off(0.49 * margin), { temperature, topP }, () => draw)).toBe(token);
    tried += 1;
    if (chooseToken(off(8 * margin), { temperature, topP }, () => draw) !== token) changed += 1;
  }
  expect(changed / tried).toBeGreaterThan(0.05);
});

test('a piece of text is as sure as its least sure token, also where it is shown in parts', () => {
  const margins = createMargins();
  margins.read('', 4);
  margins.read('ä', 5);
  margins.read('bc', 2);
  margins.read('de', 3);
  expect([margins.shown('ä'), margins.shown('b'), margins.shown('cd')]).toEqual([4, 2, 2]);
  margins.read('', 0.5);
  expect([margins.rest(), margins.shown('e'), margins.rest()]).toEqual([0.5, 3, 0.5]);
});

test('a model says with each piece how nearly another came, and with its end too', async () => {
  const { decoder } = alphabet(8);
  const codec = { ...byteCodec, end: 101 };
  const model = textModel({
    card: { ...card, fits: true },
    clock: { sleep: async () => undefined, nowMs: () => 0, elapsedMs: () => 0, deadline: () => live() },
    seed: () => 1,
    open: async () => ({ decoder, codec, context: 8 }),
  });
  const prompt: Prompt = { messages: [{ role: 'user', text: 'b' }] };
  const parts: AnswerPart[] = await Array.fromAsync(model.generate(prompt, { maxTokens: 8 }, live()));
  expect(parts).toMatchObject([
    { text: 'c', margin: 5 },
    { text: 'd', margin: 5 },
    { reason: 'stop', margin: 5 },
  ]);
});

test('tokenizer.json of bytes and of the guide give our own tokens and take them back', async () => {
  const load = (bytes: Uint8Array) => new Tokenizer(JSON.parse(new TextDecoder().decode(bytes)) as object, {});
  const bytes = load(byteTokenizerJson());
  const text = 'Grüße, 12 mal!\n\tok 🦊';
  expect(bytes.encode(text).ids).toEqual(byteCodec.encode(text));
  expect(bytes.decode([...byteCodec.encode(text)], {})).toBe(text);
  const { vocabulary } = decodeModelFile(await readNanoFile(live()));
  const [own, told] = [createTokenizer(vocabulary), load(nanoTokenizerJson(vocabulary))];
  for (const one of ['How do I share a model with a friend?', 'two  spaces, 3 numbers 42 & signs.']) {
    expect(told.encode(one).ids).toEqual(own.encode(one));
    expect(told.decode(own.encode(one), {})).toBe(own.decode(own.encode(one)));
  }
});

test('with three marks before its bytes a model says the same, and the marks score as a byte that text never has', async () => {
  const sizes = { vocabulary: 256, width: 16, layers: 1, heads: 2, hidden: 20, context: 8 };
  const weights = initialWeights(sizes, seededUnit(2)).map((weight) => weight * 9);
  const marked = withMarks(sizes, weights);
  const scoresOf = async (one: typeof marked, tokens: readonly number[]) => {
    const session = await (await plainDecoder(one.sizes, one.weights)).open();
    let scores: Float32Array | undefined;
    for (const token of tokens) scores = await session.step(token, true);
    return [...(scores ?? [])];
  };
  const own = await scoresOf({ sizes, weights }, [104, 105]);
  const theirs = await scoresOf(marked, [107, 108]);
  // Sums of columns in another place of a vector are rounded otherwise.
  const expected = [own[255], own[255], own[255], ...own];
  theirs.forEach((score, token) => expect(score).toBeCloseTo(expected[token] ?? NaN, 4));
  expect(new Set(own).size).toBeGreaterThan(200);
});
