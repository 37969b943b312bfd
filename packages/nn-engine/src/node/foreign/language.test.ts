import { utf8 } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { limits } from '../../limits.ts';
import { ChildFault } from './child-fault.ts';
import { readLanguage } from './language.ts';
import { letters } from './testing/decoder.ts';
import { readTextFiles } from './text-files.ts';

const read = async (files: unknown) => readLanguage(readTextFiles(utf8(JSON.stringify(files))));
const codeOf = async (files: unknown): Promise<string> =>
  read(files).then(
    () => 'nothing was thrown',
    (error: unknown) => (error instanceof ChildFault ? error.code : String(error)),
  );
const tokenizer = { 'tokenizer.json': letters() };

describe('files beside a language model', () => {
  it('may be a tokenizer alone: nothing ends an answer then', async () => {
    const { facts, ends, sampling } = await read(letters());
    const contextTokens = limits.foreignContextTokensAssumed;
    expect(facts).toEqual({ contextTokens, hasTemplate: false, draws: false });
    expect([ends.size, sampling]).toEqual([0, { temperature: 0, topP: 1, topK: limits.foreignTopK }]);
  });

  it.each<[string, object, number[]]>([
    [
      'generation_config.json',
      { 'generation_config.json': { eos_token_id: [3, 4] }, 'config.json': { eos_token_id: 5 } },
      [3, 4],
    ],
    ['config.json', { 'config.json': { eos_token_id: 5 } }, [5]],
    ['the name in tokenizer_config.json', { 'tokenizer_config.json': { eos_token: { content: '<end>' } } }, [0]],
  ])('name the end by %s', async (_, files, ends) => {
    expect([...(await read({ ...tokenizer, ...files })).ends]).toEqual(ends);
  });

  it.each([
    ['max_position_embeddings', 64, 64],
    ['n_ctx', limits.foreignContextTokensMax, limits.foreignContextTokensMax],
    ['n_ctx', limits.foreignContextTokensMax + 1, limits.foreignContextTokensMax],
    ['n_ctx', -1, limits.foreignContextTokensAssumed],
  ])('name the context by %s: %d', async (name, said, contextTokens) => {
    expect((await read({ ...tokenizer, 'config.json': { [name]: said } })).facts).toMatchObject({ contextTokens });
  });

  it('have their template in a file of its own, or among several by name', async () => {
    const said = async (files: object) =>
      (await read({ ...tokenizer, ...files })).template?.([{ role: 'user', text: 'x' }]);
    const named = {
      chat_template: [
        { name: 'tools', template: 'b' },
        { name: 'default', template: 'a{{ eos_token }}' },
      ],
    };
    expect(await said({ 'chat_template.jinja': '{{ messages[0].role }}' })).toBe('user');
    expect(await said({ 'tokenizer_config.json': { ...named, eos_token: '<end>' } })).toBe('a<end>');
    expect(await said({ 'tokenizer_config.json': { chat_template: [] } })).toBe(undefined);
  });

  it.each<[string, unknown, string]>([
    ['without a tokenizer', { 'config.json': {} }, 'MODEL_FILE_MISSING'],
    ['with a tokenizer that is none', { 'tokenizer.json': {} }, 'MODEL_INVALID'],
    ['with settings that are none', { ...tokenizer, 'config.json': [] }, 'MODEL_INVALID'],
    ['with a template that is none', { ...tokenizer, 'chat_template.jinja': '{% for %}' }, 'MODEL_INVALID'],
    ['with a template that is no text', { ...tokenizer, 'chat_template.jinja': 5 }, 'MODEL_INVALID'],
    [
      'of a model that fills gaps',
      { ...tokenizer, 'config.json': { architectures: ['BertForMaskedLM'] } },
      'MODEL_REFUSED',
    ],
    ['that are a list', [], 'MODEL_INVALID'],
  ])('are refused %s', async (_, files, code) => {
    expect(await codeOf(files)).toBe(code);
  });

  it('are JSON', () => {
    expect(() => readTextFiles(utf8('{'))).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
    expect(() => readTextFiles(Uint8Array.of(0xff))).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
  });
});
