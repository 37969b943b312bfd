import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import { PeerAiError, type Program, type Tensor } from '@peerai/core-protocol';
import { afterEach, describe, expect, it } from 'vitest';

import { add, Graph, matmul, relu } from '../../graph/index.ts';
import { limits } from '../../limits.ts';
import { seededUnit } from '../../train/random.ts';
import { createForeignRuntime } from './foreign-runtime.ts';
import { encode, endless, model, value, zeros } from './testing/hand-made.ts';

const { signal } = new AbortController();
const runtime = createForeignRuntime();
const memoryBytesMax = 402_653_184;
const programs: Program[] = [];

afterEach(async () => {
  for (const program of programs.splice(0)) await program[Symbol.asyncDispose]();
  expect(await foldersOf(process.pid)).toEqual([]);
});

async function load(graph: Uint8Array, options: { readonly runMsMax?: number } = {}): Promise<Program> {
  const program = await runtime.load(graph, { signal, memoryBytesMax, ...options });
  programs.push(program);
  return program;
}
/** Folders of the children of a process that are not gone. */
const foldersOf = async (pid: number | undefined): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith(`peerai-model-${pid}-`));
const one: Tensor = { type: 'float32', shape: [1], data: Float32Array.of(1) };
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'nothing was thrown',
    (error: unknown) => (PeerAiError.is(error) ? error.code : String(error)),
  );

describe('an ONNX file of the user’s', () => {
  it('gives what plain arithmetic gives', async () => {
    const random = seededUnit(4);
    const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() - 0.5);
    const [x, weights, bias] = [numbers(6), numbers(12), numbers(4)];
    const graph = new Graph();
    const input = graph.input('x', ['rows', 3]);
    const product = matmul(input, graph.constant(weights, [3, 4]));
    graph.output('y', relu(add(product, graph.constant(bias, [4]))));
    const program = await load(graph.toModel());
    const { y } = await program.run({ x: { type: 'float32', shape: [2, 3], data: x } }, signal);
    const expected = Array.from({ length: 8 }, (_, place) => {
      const [row, column] = [Math.floor(place / 4), place % 4];
      const sum = [0, 1, 2].reduce((total, k) => total + at(x, row * 3 + k) * at(weights, k * 4 + column), 0);
      return Math.max(0, sum + at(bias, column));
    });
    expect(y?.shape).toEqual([2, 4]);
    for (const [place, number] of expected.entries()) expect(Number(y?.data[place])).toBeCloseTo(number, 5);
  });

  it('takes and gives truth values as bytes', async () => {
    const program = await load(
      encode(model({ 1: { 1: 'x', 2: 'y', 4: 'Not' }, 11: value('x', 9, [2]), 12: value('y', 9, [2]) })),
    );
    const { y } = await program.run({ x: { type: 'uint8', shape: [2], data: Uint8Array.of(0, 1) } }, signal);
    expect(y).toMatchObject({ type: 'uint8', data: Uint8Array.of(1, 0) });
  });
});
const at = (numbers: Float32Array, place: number): number => numbers[place] ?? Number.NaN;

describe('a model that takes too much', () => {
  it.each([
    ['eight gigabytes at once', [2_147_483_648]],
    ['half a gigabyte, which it has room for until it is used', [134_217_728]],
  ])('asks for %s and is ended', async (_, sizes) => {
    const work = load(encode(zeros(...sizes))).then((program) => program.run({ x: one }, signal));
    expect(await codeOf(work)).toBe('MODEL_MEMORY_EXCEEDED');
  });

  it('never returns and is ended at its time', async () => {
    const program = await load(encode(endless()), { runMsMax: 200 });
    expect(await codeOf(program.run({ x: one }, signal))).toBe('RUN_LIMIT');
    expect(await codeOf(program.run({ x: one }, signal))).toBe('RUN_LIMIT');
  });

  it('is ended when its caller goes, and with it whoever waits behind', async () => {
    const program = await load(encode(endless()));
    const going = new AbortController();
    const [first, second] = [program.run({ x: one }, going.signal), program.run({ x: one }, signal)];
    const codes = Promise.all([codeOf(first), codeOf(second)]);
    // A turn later the first one is with the child.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    going.abort();
    expect(await codes).toEqual(['ABORTED', 'PROGRAM_CLOSED']);
  });

  it('goes when the process that started it is killed', async () => {
    const parent = fork(new URL('../../../test/foreign-parent.ts', import.meta.url), { execArgv: conditions });
    const ended = once(parent, 'exit');
    expect(await once(parent, 'message')).toEqual(['running', undefined]);
    expect(await foldersOf(parent.pid)).toHaveLength(1);
    parent.kill('SIGKILL');
    await ended;
    await expect.poll(() => foldersOf(parent.pid), { timeout: 15_000 }).toEqual([]);
  });
});
const conditions = ['--conditions=@peerai/source'];

describe('limits of one run', () => {
  const { foreignTensorBytesMax: bytesMax, foreignMemoryBytesMin: memoryMin } = limits;
  const feed = (bytes: number): Tensor => ({ type: 'uint8', shape: [bytes], data: new Uint8Array(bytes) });

  it('takes and gives as many bytes as are allowed, and not one more', async () => {
    const open = { 1: 'x', 2: { 1: { 1: 2, 2: { 1: { 2: 'length' } } } } };
    const longer = { 1: ['x', 'one'], 2: 'y', 4: 'Concat', 5: { 1: 'axis', 3: 0, 20: 2 } };
    const one = { 1: [1], 2: 2, 8: 'one', 9: Uint8Array.of(7) };
    const graph = model({ 1: longer, 5: one, 11: open, 12: { ...open, 1: 'y' } });
    const program = await runtime.load(encode(graph), { signal, memoryBytesMax: 2 ** 30 });
    programs.push(program);
    const { y } = await program.run({ x: feed(bytesMax - 1) }, signal);
    expect([y?.data.length, y?.data[bytesMax - 1]]).toEqual([bytesMax, 7]);
    expect(await codeOf(program.run({ x: feed(bytesMax) }, signal))).toBe('MODEL_REFUSED');
    expect(await codeOf(program.run({ x: feed(bytesMax + 1) }, signal))).toBe('LIMIT_REACHED');
  });

  it('starts with the least memory, and not with less', async () => {
    const graph = new Graph();
    graph.output('y', graph.input('x', [1]));
    const options = { signal, memoryBytesMax: memoryMin };
    programs.push(await runtime.load(graph.toModel(), options));
    const less = runtime.load(graph.toModel(), { ...options, memoryBytesMax: memoryMin - 1 });
    expect(await codeOf(less)).toBe('INVALID_OPTION');
  });
});
