import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportedModelView, ModelRunView } from '@peerai/peer/control';
import { add, Graph } from '@peerai/nn-engine';
import { afterAll, expect, test } from 'vitest';
import { homes, up } from '../../test/cli.ts';
import { writeLettersModel } from '../../test/letters-model.ts';

const folders = homes();
afterAll(() => folders.remove());

/** Asks for 32 GiB with 147 bytes. */
const bomb =
  'CAg6iAEKHwoFc2l6ZXMSBXplcm9zIg9Db25zdGFudE9mU2hhcGUKFAoFemVyb3MKAXgSA3N1bSIDQWRkChMKA3N1bRIBeSIJUmVkdWNlU3VtEgVncmFwaCoVCAEQB0IFc2l6ZXNKCAAAAAACAAAAWg8KAXgSCgoICAESBAoCCAFiCwoBeRIGCgQIARIAQgQKABAR';

/** Looks words up in a table: cat is [1, 0], dog [0, 1]. */
const embedder =
  'CAg61AEKIwoFdGFibGUKCWlucHV0X2lkcxIHdmVjdG9ycyIGR2F0aGVyEgVncmFwaConCAMIAhABQgV0YWJsZUoYX3CJMF9wiTAAAIA/AAAAAAAAAAAAAIA/WiYKCWlucHV0X2lkcxIZChcIBxITCgcSBXRleHRzCggSBnRva2Vuc1orCg5hdHRlbnRpb25fbWFzaxIZChcIBxITCgcSBXRleHRzCggSBnRva2Vuc2IoCgd2ZWN0b3JzEh0KGwgBEhcKBxIFdGV4dHMKCBIGdG9rZW5zCgIIAkIECgAQEQ==';
const tokenizer = {
  version: '1.0',
  added_tokens: [],
  normalizer: { type: 'Lowercase' },
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  decoder: null,
  model: {
    type: 'WordPiece',
    vocab: { '[UNK]': 0, cat: 1, dog: 2 },
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
  },
};

test('an imported embedding model answers through the gateway', { timeout: 120_000 }, async () => {
  const agent = await up(folders.make());
  const place = folders.make();
  mkdirSync(place, { recursive: true });
  const [file, words] = [join(place, 'words.onnx'), join(place, 'tokenizer.json')];
  writeFileSync(file, Buffer.from(embedder, 'base64'));
  writeFileSync(words, JSON.stringify(tokenizer));
  try {
    const { model } = await agent.json<{ model: ImportedModelView }>(['models', 'import', file, '--tokenizer', words]);
    expect(model.embedding).toMatchObject({ dimensions: 2 });
    const { defaultModel } = await agent.json<{ defaultModel: string }>(['models']);
    expect(defaultModel).toBe('echo');
    const response = await fetch(`${agent.info.api}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'words', input: ['Cat cat', 'dog'] }),
    });
    expect(await response.json()).toMatchObject({ data: [{ embedding: [1, 0] }, { embedding: [0, 1] }] });
    expect(await agent.run(['run', 'words', 'hello'])).toMatchObject({
      stderr: expect.stringContaining('makes embeddings only') as string,
    });
  } finally {
    await agent.end();
  }
});

test('an imported language model answers like any other', { timeout: 120_000 }, async () => {
  const agent = await up(folders.make());
  const place = join(folders.make(), 'letters');
  writeLettersModel(place);
  const post = async (path: string, body: object): Promise<Response> =>
    fetch(new URL(path, agent.info.api), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'letters', messages: [{ role: 'user', content: 'abc' }], ...body }),
    });
  try {
    const { model } = await agent.json<{ model: ImportedModelView }>(['models', 'import', place]);
    expect(model).toMatchObject({
      name: 'letters',
      texts: 'language',
      language: { contextTokens: 32, hasTemplate: true },
    });
    const openAi = await (await post('/v1/chat/completions', {})).json();
    expect(openAi).toMatchObject({
      choices: [{ message: { content: 'defgh' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 5 },
    });
    const ollama = await (await post('/api/chat', { stream: false, options: { num_predict: 2 } })).json();
    expect(ollama).toMatchObject({
      message: { content: 'de' },
      done_reason: 'length',
      prompt_eval_count: 3,
      eval_count: 2,
    });
    const streamed = await (await post('/v1/chat/completions', { stream: true })).text();
    expect([...streamed.matchAll(/"content":"(\w+)"/gu)].map(([, text]) => text).join('')).toBe('defgh');
    const tooLong = await post('/v1/chat/completions', { messages: [{ role: 'user', content: 'a'.repeat(32) }] });
    expect([tooLong.status, await tooLong.text()]).toEqual([400, expect.stringContaining('32 tokens') as string]);
    expect((await agent.run(['models', 'show', 'letters'])).stdout).toContain('it answers chats');
    rmSync(join(place, 'tokenizer.json'));
    expect((await agent.run(['models', 'import', place])).stderr).toContain('MODEL_FILE_MISSING');
    await agent.json(['models', 'import', join(place, 'model.onnx'), '--name', 'bare']);
    expect((await agent.run(['run', 'bare', 'hello'])).stderr).toMatch(/tokenizer\.json.*MODEL_FILE_MISSING/su);
  } finally {
    await agent.end();
  }
});

test(
  'a model file is imported, shown, run and removed; one that asks for too much is ended',
  { timeout: 120_000 },
  async () => {
    const agent = await up(folders.make());
    const place = folders.make();
    mkdirSync(place, { recursive: true });
    const fileOf = (name: string): string => join(place, name);
    const graph = new Graph();
    const x = graph.input('x', ['rows', 2]);
    graph.output('y', add(x, x));
    writeFileSync(fileOf('double.onnx'), graph.toModel());
    writeFileSync(fileOf('bomb.onnx'), Buffer.from(bomb, 'base64'));
    writeFileSync(fileOf('text.onnx'), 'no model');
    try {
      expect((await agent.run(['models', 'import', fileOf('double.onnx')])).stdout).toMatch(
        /takes +x: float32 \[rows, 2\]\ngives +y: float32 \[rows, 2\]/u,
      );
      const { imported } = await agent.json<{ imported: ImportedModelView[] }>(['models']);
      expect(imported).toMatchObject([{ name: 'double', loaded: false }]);
      const run = await agent.json<ModelRunView>(['models', 'infer', 'double', '--data', '{"x": [[1, 2.5]]}']);
      expect(run.outputs).toEqual({ y: { type: 'float32', shape: [1, 2], data: [2, 5] } });
      const { model } = await agent.json<{ model: ImportedModelView }>(['models', 'show', 'double']);
      expect(model).toMatchObject({ sha256: imported[0]?.sha256, loaded: true });
      await agent.json(['models', 'import', fileOf('bomb.onnx'), '--name', 'large']);
      expect(await agent.run(['models', 'infer', 'large', '--data', '{"x": [1]}'])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('MODEL_MEMORY_EXCEEDED') as string,
      });
      expect(await agent.run(['models', 'infer', 'double', '--data', '{"x": [1]}'])).toMatchObject({ code: 2 });
      expect(await agent.run(['models', 'import', fileOf('text.onnx')])).toMatchObject({ code: 1 });
      expect((await agent.run(['models', 'rm', 'double'])).stdout).toBe('Removed.\n');
      expect(await agent.run(['models', 'infer', 'double', '--data', '{"x": [[1, 2]]}'])).toMatchObject({ code: 7 });
    } finally {
      await agent.end();
    }
  },
);
