import { PeerAiError, type Prompt, type Sampling, utf8 } from '@peerai/core-protocol';
import { afterEach, describe, expect, it } from 'vitest';

import { languageModelOnnx } from '../../export/index.ts';
import { limits } from '../../limits.ts';
import { initialWeights } from '../../models/language-model.ts';
import { byteTokenizerJson, plainDecoder } from '../../text/index.ts';
import { seededUnit } from '../../train/random.ts';
import { type ForeignWriter, loadForeignWriter, type WriterOptions } from './foreign-writer.ts';
import { decoder, decoderWeights, letters, plainScores, tiny, words } from './testing/decoder.ts';

const { signal } = new AbortController();
const memoryBytesMax = 402_653_184;
const open: ForeignWriter[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});
const weights = decoderWeights(seededUnit(11));
const files = (more: object = {}) => ({
  'tokenizer.json': letters(),
  'config.json': { n_positions: tiny.context },
  ...more,
});
type Options = Partial<WriterOptions> & { readonly model?: Uint8Array };
async function load(beside: object = files(), { model = decoder(weights), ...more }: Options = {}) {
  const one = await loadForeignWriter(model, utf8(JSON.stringify(beside)), { signal, memoryBytesMax, ...more });
  open.push(one);
  return one;
}
const say = (...texts: string[]): Prompt => ({ messages: texts.map((text) => ({ role: 'user', text })) });
async function ask(model: ForeignWriter, prompt: Prompt, sampling: Partial<Sampling> = {}) {
  const pieces: string[] = [];
  const wish = { maxTokens: 12, seed: 1, ...sampling };
  const finish = await model.write(prompt, wish, (text) => pieces.push(text), signal);
  return { text: pieces.join(''), pieces, ...finish };
}
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was thrown',
    (error: unknown) => (PeerAiError.is(error) ? error.code : String(error)),
  );
/** What plain arithmetic says: the whole text again for each token, and no cache. */
function expected(text: string, count: number, { end = -1, penalty = 1 } = {}): string {
  const tokens = Array.from(text, (letter) => words.indexOf(letter));
  for (let made = 0; made < count; made += 1) {
    const scores = plainScores(weights, tokens).map((score, token) =>
      tokens.includes(token) ? (score > 0 ? score / penalty : score * penalty) : score,
    );
    const best = scores.indexOf(Math.max(...scores));
    if (best === end) break;
    tokens.push(best);
  }
  return tokens
    .slice(text.length)
    .map((token) => (token < 2 ? '' : words[token]))
    .join('');
}

describe('an imported language model', () => {
  it('says with its cache what plain arithmetic says of the whole text', async () => {
    const model = await load();
    expect(model.facts).toEqual({ contextTokens: tiny.context, hasTemplate: false, draws: false });
    for (const text of ['abc', 'n', 'gfedcba']) {
      const answer = await ask(model, say(text));
      expect(answer.text).toBe(expected(text, 12));
      expect(answer).toMatchObject({ reason: 'length', promptTokens: text.length, answerTokens: 12 });
    }
    const stopped = await ask(model, say('gfedcba'), { stop: ['jg'] });
    expect(stopped).toMatchObject({ text: expected('gfedcba', 12).split('jg')[0], reason: 'stop' });
    expect(await ask(model, say('a'), { maxTokens: 0 })).toMatchObject({ text: '', answerTokens: 0 });
  });

  it('draws by temperature and seed, and from the largest alone what is the largest', async () => {
    const model = await load();
    const drawn = async (sampling: Partial<Sampling>): Promise<string> => (await ask(model, say('abc'), sampling)).text;
    const [one, again, other] = [
      await drawn({ temperature: 2 }),
      await drawn({ temperature: 2 }),
      await drawn({ temperature: 2, seed: 2 }),
    ];
    expect(one).toBe(again);
    expect(other).not.toBe(one);
    expect(await drawn({ temperature: 2, topP: 1e-9 })).toBe(expected('abc', 12));
    const files1 = files({ 'generation_config.json': { do_sample: true, temperature: 2, top_k: 1 } });
    const narrow = await load(files1);
    expect(narrow.facts.draws).toBe(true);
    expect((await ask(narrow, say('abc'))).text).toBe(expected('abc', 12));
  });

  it('ends at its end token, and says less again where its files say so', async () => {
    const end = words.indexOf('e');
    const model = await load(files({ 'generation_config.json': { eos_token_id: [0, end] } }));
    const untilE = await ask(model, say('abc'));
    expect(untilE).toMatchObject({ reason: 'stop' });
    // The end token is no text and no token of the answer; token 0 ends it too.
    expect(expected('abc', 12, { end })).toMatch(new RegExp(`^${untilE.text}`, 'u'));
    const penalty = 3;
    const other = await load(files({ 'generation_config.json': { repetition_penalty: penalty } }));
    const said = await ask(other, say('abc'));
    expect(said.text).toBe(expected('abc', 12, { penalty }));
    expect(said.text).not.toBe(expected('abc', 12));
  });

  it('reads a long prompt in pieces, up to its context and not beyond', async () => {
    const model = await load();
    const text = (length: number): string => 'abcdefghij'.repeat(20).slice(0, length);
    const most = limits.foreignPrefillTokensMax;
    const long = await ask(model, say(text(most + 2)), { maxTokens: 3 });
    expect(long.text).toBe(expected(text(most + 2), 3));
    const readIn = ({ pieces }: typeof long): number => pieces.length - long.answerTokens;
    expect(readIn(long)).toBe(2);
    expect(readIn(await ask(model, say(text(most + 1)), { maxTokens: 3 }))).toBe(1);
    const full = await ask(model, say(text(tiny.context - 1)));
    expect(full).toMatchObject({ reason: 'length', promptTokens: tiny.context - 1, answerTokens: 1 });
    expect(await codeOf(ask(model, say(text(tiny.context))))).toBe('PROMPT_TOO_LONG');
    const most2 = 'a'.repeat(limits.foreignPromptCharsMax);
    expect(await codeOf(ask(model, say(most2, 'a')))).toBe('LIMIT_REACHED');
  });

  it('keeps a cache of float16', async () => {
    const model = await load(files(), { model: decoder(weights, 10) });
    expect((await ask(model, say('abc'), { maxTokens: 6 })).text).toBe(expected('abc', 6));
  });

  it('that PeerAI exported says what PeerAI says, though it has no cache', async () => {
    const sizes = { vocabulary: 256, width: 16, layers: 1, heads: 2, hidden: 20, context: 32 };
    const own = initialWeights(sizes, seededUnit(2)).map((weight) => weight * 9);
    const tokenizer = JSON.parse(new TextDecoder().decode(byteTokenizerJson())) as object;
    const model = await load(tokenizer, { model: languageModelOnnx(sizes, own) });
    const session = await (await plainDecoder(sizes, own)).open(signal);
    const bytes = [...utf8('hello')];
    for (let at = 0; bytes.length < 13; at += 1) {
      const scores = await session.step(bytes[at] ?? 0, true);
      if (at === bytes.length - 1) bytes.push(scores?.indexOf(Math.max(...(scores ?? []))) ?? 0);
    }
    const { text } = await ask(model, say('hello'), { maxTokens: 8 });
    expect(text).toBe(new TextDecoder().decode(Uint8Array.from(bytes.slice(5))));
  });
});

describe('its chat template', () => {
  const template = (source: string) =>
    files({ 'tokenizer_config.json': { chat_template: source, bos_token: '<start>' } });
  const turns: Prompt = {
    messages: [
      { role: 'system', text: 'ab' },
      { role: 'user', text: 'cd' },
    ],
  };

  it('writes what the model reads, its special tokens too', async () => {
    const model = await load(
      template(
        "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}e{% endif %}",
      ),
    );
    expect(model.facts.hasTemplate).toBe(true);
    expect((await ask(model, turns)).promptTokens).toBe('<abcde'.length);
  });

  it('that takes no system message gets it with the first of the user; what it refuses else is said', async () => {
    const refusing = await load(
      template(
        "{% if messages[0]['role'] != 'user' %}{{ raise_exception('no system here') }}{% endif %}{% for m in messages %}{{ m.content | trim | replace('\n', '') }}{% endfor %}",
      ),
    );
    expect((await ask(refusing, turns)).text).toBe(expected('abcd', 12));
    const assistant: Prompt = { messages: [{ role: 'assistant', text: 'a' }] };
    await expect(ask(refusing, assistant)).rejects.toMatchObject({
      code: 'INVALID_FORMAT',
      message: expect.stringContaining('no system here') as string,
    });
  });
});

describe('an answer that is given up', () => {
  /** Never ends with this text: each letter doubles its ways. */
  const slow = () => ({
    ...letters(),
    pre_tokenizer: { type: 'Split', pattern: { Regex: '^(a+)+$' }, behavior: 'Isolated' },
  });
  const endless = say(`${'a'.repeat(60)}b`);

  it('ends with its step, and the next one begins with an empty cache', async () => {
    const model = await load(files(), { cancelMsMax: 60_000 });
    const going = new AbortController();
    const finish = await model.write(say('abc'), { maxTokens: 150, seed: 1 }, () => going.abort(), going.signal);
    expect(finish.reason).toBe('cancelled');
    expect(finish.answerTokens).toBeLessThan(150);
    expect((await ask(model, say('abc'))).text).toBe(expected('abc', 12));
  });

  it('is ended with its process when it does not end by itself', async () => {
    const model = await load({ 'tokenizer.json': slow() }, { cancelMsMax: 50 });
    const going = new AbortController();
    const answer = model.write(endless, { maxTokens: 1, seed: 1 }, () => undefined, going.signal);
    const code = codeOf(answer);
    await new Promise<void>((resolve) => void setImmediate(resolve));
    going.abort();
    expect(await code).toBe('PROGRAM_CLOSED');
  });

  it('or its time is over, of a step or of the whole', async () => {
    const step = await load({ 'tokenizer.json': slow() }, { runMsMax: 200 });
    expect(await codeOf(ask(step, endless))).toBe('RUN_LIMIT');
    const whole = await load(files(), { answerMsMax: 1 });
    expect(await codeOf(ask(whole, say('abc'), { maxTokens: 150 }))).toBe('RUN_LIMIT');
  });
});

describe('what is no language model', () => {
  it('has no tokenizer beside it', async () => {
    expect(await codeOf(load({ 'config.json': {} }))).toBe('MODEL_FILE_MISSING');
  });

  it('gives scores that are no numbers', async () => {
    const model = decoder({ ...weights, output: weights.output.map(() => Number.NaN) });
    expect(await codeOf(ask(await load(files(), { model }), say('abc')))).toBe('MODEL_REFUSED');
  });
});
