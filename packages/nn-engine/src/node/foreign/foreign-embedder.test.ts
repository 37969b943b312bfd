import { utf8 } from '@peerai/core-protocol';
import { afterEach, describe, expect, it } from 'vitest';

import { limits } from '../../limits.ts';
import { type ForeignEmbedder, loadForeignEmbedder } from './foreign-embedder.ts';
import { createForeignRuntime } from './foreign-runtime.ts';
import { embedder, tokenizer } from './testing/embedder.ts';
import { encode, endless } from './testing/hand-made.ts';

const { signal } = new AbortController();
const memoryBytesMax = 402_653_184;
const open: ForeignEmbedder[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});
async function load(model = embedder(), words = tokenizer()): Promise<ForeignEmbedder> {
  const one = await loadForeignEmbedder(model, utf8(JSON.stringify(words)), { signal, memoryBytesMax });
  open.push(one);
  return one;
}
const dot = (a: Float32Array | undefined, b: Float32Array | undefined): number =>
  Array.from(a ?? [], (value, at) => value * (b?.[at] ?? Number.NaN)).reduce((sum, value) => sum + value, 0);

describe('an embedding model with its tokenizer', () => {
  it('gives the mean of its tokens, of length 1, however texts stand together', async () => {
    const model = await load();
    const [cats, both, again] = await model.embed(['cat cat', 'Cat dog', 'cat'], signal);
    expect(dot(cats, again)).toBeCloseTo(1, 5);
    expect(dot(both, both)).toBeCloseTo(1, 5);
    // cat is [1, 0] and dog [0, 1]: their mean points between them.
    expect(Array.from(both ?? [])).toEqual([expect.closeTo(Math.SQRT1_2, 5), expect.closeTo(Math.SQRT1_2, 5)]);
    expect(Array.from((await model.embed(['dog'], signal))[0] ?? [])).toEqual([0, 1]);
  });

  it('takes more texts than go through at once', async () => {
    const texts = Array.from({ length: limits.foreignTextsAtOnce + 1 }, (_, at) => (at % 2 === 0 ? 'cat' : 'dog'));
    const vectors = await (await load()).embed(texts, signal);
    expect(vectors.map((vector) => vector[0])).toEqual(texts.map((text) => (text === 'cat' ? 1 : 0)));
  });

  it('cuts what is too long, and refuses more than is allowed', async () => {
    const model = await load();
    // The limit's last token is kept: it alone is a dog.
    const long = `${'cat '.repeat(limits.foreignTokensMax - 1)}dog`;
    const [at] = await model.embed([long], signal);
    const [cut] = await model.embed([`cat ${long}`], signal);
    expect(cut).toEqual(at);
    expect((await model.embed(['x'.repeat(limits.embedCharsMax - 4) + ' cat'], signal))[0]?.length).toBe(2);
    await expect(model.embed(['x'.repeat(limits.embedCharsMax + 1)], signal)).rejects.toMatchObject({
      code: 'LIMIT_REACHED',
    });
    const many = Array.from({ length: limits.embedTextsMax + 1 }, () => 'cat');
    await expect(model.embed(many, signal)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  });

  it('is refused where the model is none, or the tokenizer', async () => {
    await expect(load(encode(endless()))).rejects.toMatchObject({ code: 'MODEL_REFUSED' });
    const notOne = utf8('{"model": 1}');
    await expect(loadForeignEmbedder(embedder(), notOne, { signal })).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    const tooLong = new Uint8Array(limits.foreignTokenizerBytesMax + 1);
    await expect(loadForeignEmbedder(embedder(), tooLong, { signal })).rejects.toMatchObject({
      code: 'MODEL_TOO_LARGE',
    });
    const atLimit = loadForeignEmbedder(embedder(), tooLong.subarray(1), { signal });
    await expect(atLimit).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });

  it('is ended when a pattern of its tokenizer never ends', async () => {
    const words = { ...tokenizer(), normalizer: { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' } };
    const bytes = utf8(JSON.stringify(words));
    const model = await loadForeignEmbedder(embedder(), bytes, { signal, memoryBytesMax, runMsMax: 300 });
    open.push(model);
    await expect(model.embed([`${'a'.repeat(60)}b`], signal)).rejects.toMatchObject({ code: 'RUN_LIMIT' });
  });

  it('can be used as any other model too', async () => {
    const program = await createForeignRuntime().load(embedder(), { signal, memoryBytesMax });
    const ids = { type: 'int64', shape: [1, 1], data: BigInt64Array.of(2n) } as const;
    const { vectors } = await program.run({ input_ids: ids, attention_mask: ids }, signal);
    expect(vectors).toMatchObject({ shape: [1, 1, 2], data: Float32Array.of(0, 1) });
    await program[Symbol.asyncDispose]();
  });
});
