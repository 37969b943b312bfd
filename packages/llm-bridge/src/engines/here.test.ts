import type { LanguageModel } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { isComputedHere } from './here.ts';

const named = (name: string): Pick<LanguageModel, 'card'> => ({
  card: { name, engine: 'x', contextTokensMax: 1, memoryBytes: 0, loaded: true, deterministic: true, fits: true },
});
const at = (url: string) => isComputedHere({ kind: 'ollama', url }, named('mistral'));

test('servers at loopback addresses are here, all others are not', () => {
  const here = [
    'http://127.0.0.1:11434',
    'http://localhost:8080',
    'http://LOCALHOST',
    'http://[::1]:1234',
    'http://127.9.9.9',
    'http://2130706433',
  ];
  expect(here.map(at)).toEqual(here.map(() => true));
  const elsewhere = [
    'http://192.168.1.20:11434',
    'http://10.0.0.1',
    'https://api.openai.com',
    'http://localhost.example.org',
    'http://127.0.0.1.example.org',
    'http://127.0.0.1@192.0.2.1',
    'http://128.0.0.1',
    'http://[fe80::1]',
    'http://0.0.0.0:11434',
    'no address',
  ];
  expect(elsewhere.map(at)).toEqual(elsewhere.map(() => false));
});

test('what is built in is here, an engine of an unknown kind without an address is not', () => {
  const kinds = ['scripted', 'nano', 'onnx', 'llama-cpp', 'stages', 'ollama'];
  expect(kinds.filter((kind) => isComputedHere({ kind }, named('x')))).toEqual(kinds.slice(0, 4));
});

test('a model that Ollama has in its cloud is not here', () => {
  const url = 'http://127.0.0.1:11434';
  const names = ['gpt-oss:120b-cloud', 'glm-4.6:cloud', 'mistral', 'cloud', 'cloud-7b'];
  expect(names.filter((name) => isComputedHere({ kind: 'ollama', url }, named(name)))).toEqual(names.slice(2));
});
