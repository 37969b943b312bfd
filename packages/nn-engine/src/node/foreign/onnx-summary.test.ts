import { threadMs } from '@peerai/config/thread-time';
import { PeerAiError } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { Graph, matmul } from '../../graph/index.ts';
import { limits } from '../../limits.ts';
import { type OnnxSummary, readOnnxSummary } from './onnx-summary.ts';
import { encode, endless, type Message, model, value, zeros } from './testing/hand-made.ts';

const read = (message: Message): OnnxSummary => readOnnxSummary(encode(message));
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'nothing was thrown';
  } catch (error) {
    return PeerAiError.is(error) ? error.code : String(error);
  }
};
const nothing = 'nothing was thrown';
const repeat = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

describe('what is read of an ONNX file', () => {
  it('says what goes in and comes out, without what the file stores itself', () => {
    const graph = new Graph();
    const x = graph.input('x', ['rows', 2]);
    graph.output('y', matmul(x, graph.constant([1, 2], [2, 1])));
    expect(readOnnxSummary(graph.toModel())).toEqual({
      irVersion: 8,
      producer: 'peerai',
      opsets: { '': 17 },
      nodes: 2,
      initializers: 1,
      operators: ['Identity', 'MatMul'],
      inputs: [{ name: 'x', type: 'float32', shape: ['rows', 2] }],
      outputs: [{ name: 'y', type: 'float32', shape: ['rows', 1] }],
    });
  });

  it('leaves out inputs that have a stored value', () => {
    const stored = { 1: [1], 2: 1, 8: 'w', 9: new Uint8Array(4) };
    const summary = read(model({ 5: stored, 11: [value('w', 1, [1]), value('x', 1, [1])], 12: value('y', 1) }));
    expect(summary.inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('counts what lies in nested graphs', () => {
    expect(read(endless())).toMatchObject({ nodes: 3, operators: ['Identity', 'Loop', 'Mul'] });
  });
});

describe('what is refused before it runs', () => {
  const tensor = { 1: [1], 2: 1, 8: 'w' };
  const elsewhere = { ...tensor, 13: { 1: 'location', 2: '/etc/passwd' }, 14: 1 };
  const graphOf = (node: Message): Message => model({ 1: node, 12: value('y', 1) });
  it.each<[string, Message, string]>([
    ['weights in another file', model({ 5: elsewhere, 12: value('y', 1) }), 'MODEL_EXTERNAL_DATA'],
    ['a place without a flag', model({ 5: { ...elsewhere, 14: 0 }, 12: value('y', 1) }), 'MODEL_EXTERNAL_DATA'],
    ['a flag without a place', model({ 5: { ...tensor, 14: 1 }, 12: value('y', 1) }), 'MODEL_EXTERNAL_DATA'],
    [
      'such weights in an attribute',
      graphOf({ 4: 'Constant', 5: { 1: 'value', 5: elsewhere } }),
      'MODEL_EXTERNAL_DATA',
    ],
    ['such weights in a nested graph', graphOf({ 4: 'If', 5: { 1: 'a', 6: { 5: elsewhere } } }), 'MODEL_EXTERNAL_DATA'],
    ['sparse ones', model({ 15: { 1: elsewhere }, 12: value('y', 1) }), 'MODEL_EXTERNAL_DATA'],
    ['a compiled part elsewhere', graphOf({ 4: 'EPContext', 7: 'com.microsoft' }), 'MODEL_EXTERNAL_DATA'],
    ['operators of others', graphOf({ 4: 'Shell', 7: 'my.company' }), 'MODEL_REFUSED'],
    ['the same in a function', { ...graphOf({ 4: 'Add' }), 25: { 7: { 4: 'Shell', 7: 'x' } } }, 'MODEL_REFUSED'],
    ['text as an input', model({ 11: value('x', 8), 12: value('y', 1) }), 'MODEL_INVALID'],
    ['nothing that comes out', model({ 1: { 4: 'Add' } }), 'MODEL_INVALID'],
  ])('%s', (_, message, code) => {
    expect(codeOf(() => read(message))).toBe(code);
  });

  it('bytes that are no ONNX', () => {
    expect(codeOf(() => readOnnxSummary(new Uint8Array()))).toBe('MODEL_INVALID');
    expect(codeOf(() => readOnnxSummary(new TextEncoder().encode('%PDF-1.7 and so on')))).toBe('MODEL_INVALID');
  });
});

describe('limits of a file', () => {
  const nested = (depth: number): Message =>
    depth === 1 ? { 12: value('y', 1) } : { 1: { 4: 'If', 5: { 6: nested(depth - 1) } }, 12: value('y', 1) };
  const out = value('y', 1);
  it.each<[string, number, (count: number) => Message, string]>([
    ['nodes', limits.foreignNodesMax, (count) => model({ 1: repeat(count, { 4: 'Add' }), 12: out }), 'MODEL_TOO_LARGE'],
    ['tensors', limits.foreignInitializersMax, (count) => model({ 5: repeat(count, {}), 12: out }), 'MODEL_TOO_LARGE'],
    ['graphs inside each other', limits.foreignDepthMax, (count) => model(nested(count)), 'MODEL_TOO_LARGE'],
    ['values', limits.foreignValuesMax, (count) => model({ 12: repeat(count, out) }), 'MODEL_INVALID'],
    ['sizes', limits.foreignRankMax, (count) => model({ 12: value('y', 1, repeat(count, 2)) }), 'MODEL_INVALID'],
    ['letters', limits.foreignNameBytesMax, (count) => model({ 12: value('y'.repeat(count), 1) }), 'MODEL_INVALID'],
  ])('of %s', (_, max, make, code) => {
    expect(codeOf(() => read(make(max)))).toBe(nothing);
    expect(codeOf(() => read(make(max + 1)))).toBe(code);
  });

  it('of bytes', () => {
    const bytes = new Uint8Array(limits.foreignModelBytesMax + 1);
    expect(codeOf(() => readOnnxSummary(bytes.subarray(1)))).toBe('MODEL_INVALID');
    expect(codeOf(() => readOnnxSummary(bytes))).toBe('MODEL_TOO_LARGE');
  });

  it('of fields, each of which is looked at twice', () => {
    const fields = (count: number): Uint8Array => new Uint8Array(count * 2).fill(8);
    expect(codeOf(() => readOnnxSummary(fields(limits.foreignFieldsMax / 2)))).toBe('MODEL_INVALID');
    expect(codeOf(() => readOnnxSummary(fields(limits.foreignFieldsMax / 2 + 1)))).toBe('MODEL_TOO_LARGE');
  });
});

it('ten thousand mutated files are read or refused, none with another error and none slowly', () => {
  const random = seededRandom(78);
  const valid = [encode(endless()), encode(zeros(2, 3))];
  let [refused, slowestMs] = [0, 0];
  for (let turn = 0; turn < 10_000; turn += 1) {
    const bytes = mutated(valid[turn % 2] ?? new Uint8Array(), random);
    const startMs = threadMs();
    const code = codeOf(() => readOnnxSummary(bytes));
    slowestMs = Math.max(slowestMs, threadMs() - startMs);
    expect([nothing, 'MODEL_INVALID', 'MODEL_TOO_LARGE', 'MODEL_EXTERNAL_DATA', 'MODEL_REFUSED']).toContain(code);
    if (code !== nothing) refused += 1;
  }
  expect(refused).toBeGreaterThan(5_000);
  expect(slowestMs).toBeLessThan(250);
});
