import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { findModelFiles, textFilesAround } from './model-files.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
/** A folder `tiny` with these files in it. */
function folder(files: Readonly<Record<string, string>>): string {
  const place = join(mkdtempSync(join(tmpdir(), 'model-files-')), 'tiny');
  folders.push(dirname(place));
  mkdirSync(place);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), text);
  }
  return place;
}
const beside = { 'tokenizer.json': '{"model":{}}', 'config.json': '{"n_ctx":8}', 'chat_template.jinja': '{{ "x" }}\n' };

test.each([
  ['Optimum writes it', 'model.onnx'],
  ['Transformers.js writes it', 'onnx/model.onnx'],
  ['one file alone has it', 'onnx/decoder.onnx'],
])('a folder as %s is a model with its tokenizer', (_, name) => {
  const place = folder({ ...beside, [name]: '', 'other.txt': '' });
  expect(findModelFiles(`${place}/`)).toEqual({
    model: join(place, name),
    name: 'tiny',
    tokenizer: join(place, 'tokenizer.json'),
  });
  expect(findModelFiles(join(place, name)).tokenizer).toBe(join(place, 'tokenizer.json'));
});

test('what lies beside a tokenizer goes with it, by its name', async () => {
  const text = await (await textFilesAround(join(folder(beside), 'tokenizer.json'))).text();
  expect(JSON.parse(text)).toEqual({
    'tokenizer.json': { model: {} },
    'config.json': { n_ctx: 8 },
    'chat_template.jinja': '{{ "x" }}\n',
  });
});

test('what is missing, or is more than one, is named', () => {
  const code = (expected: string, message: string) =>
    expect.objectContaining({ code: expected, message: expect.stringContaining(message) as string });
  expect(() => findModelFiles(folder({ 'model.onnx': '' }))).toThrow(code('MODEL_FILE_MISSING', 'tokenizer.json'));
  expect(() => findModelFiles(folder(beside))).toThrow(code('MODEL_FILE_MISSING', 'model.onnx'));
  const several = { ...beside, 'onnx/model_q4.onnx': '', 'onnx/model_int8.onnx': '' };
  expect(() => findModelFiles(folder(several))).toThrow(code('USAGE', 'onnx/model_int8.onnx'));
  const bare = folder({ 'model_q4.onnx': '' });
  expect(findModelFiles(join(bare, 'model_q4.onnx'))).toMatchObject({ name: 'model_q4', tokenizer: undefined });
});
