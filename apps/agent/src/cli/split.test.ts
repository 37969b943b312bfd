import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nanoGguf } from '@peerai/nn-engine/export';
import { createNodeRuntime, readNanoFile } from '@peerai/nn-engine/node';
import type { SplitView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Agent, homes, pairUp, upAs } from '../../test/cli.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
beforeAll(async () => {
  const named = (name: string): Promise<Agent> => upAs(name, folders.make(), { env: { PEERAI_LLM__ENGINES: 'nano' } });
  [desk, laptop] = await Promise.all([named('desk'), named('laptop')]);
  await pairUp(desk, laptop, 'chat,train');
}, 120_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
});

const { signal } = new AbortController();

test('two agents hold the layers of a model that one of them teaches', { timeout: 120_000 }, async () => {
  const file = join(laptop.home, 'fox.txt');
  writeFileSync(file, 'the quick brown fox jumps over the lazy dog. '.repeat(60));
  const start = ['train', 'start', file, '--rounds', '2', '--steps', '2'];
  expect(await laptop.run([...start, '--spare', 'none'])).toMatchObject({ code: 2 });
  expect((await laptop.run([...start, '--stages', 'desk,self', '--liars', '1'])).stderr).toContain('has no liars');
  const taught = await laptop.run([...start, '--stages', 'desk,self', '--watch']);
  expect(taught, taught.stderr).toMatchObject({ code: 0 });
  expect(taught.stderr).toContain('Who holds the first stage reads what is learned from');
  expect(taught.stdout).toMatch(/^run +fox, stages, done$/mu);
  expect(taught.stdout).toMatch(/^stage 1 +layer 1, desk$/mu);
  expect(taught.stdout).toMatch(/^stage 2 +layer 2, laptop$/mu);
  expect((await laptop.run(['run', 'fox', 'the quick'])).code).toBe(0);
});

test(
  'two agents compute one model, layer after layer; one is killed, and the answer stays the same',
  { timeout: 120_000 },
  async () => {
    const ask = async (model: string): Promise<string> => {
      const { code, stdout, stderr } = await laptop.run(['run', model, 'how do i share a model']);
      if (code !== 0) throw new Error(stderr);
      return stdout;
    };
    const whole = await ask('nano');
    expect(whole.length).toBeGreaterThan(20);

    const { split } = await laptop.json<{ split: SplitView }>(['models', 'split', 'nano', '--over', 'desk,self']);
    expect(split).toMatchObject({ name: 'nano:split', model: 'nano', state: 'open' });
    expect(split.stages.map(({ holder }) => holder?.name)).toEqual(['desk', 'laptop']);
    expect(await ask('nano:split')).toBe(whole);

    await desk.end('SIGKILL');
    expect(await ask('nano:split')).toBe(whole);
    const { splits } = await laptop.json<{ splits: SplitView[] }>(['models', 'split', 'ls']);
    expect(splits).toMatchObject([{ answers: 2, stages: [{ holder: { self: true }, lost: { name: 'desk' } }, {}] }]);
    expect((await laptop.run(['models', 'split', 'stop', 'nano:split'])).stdout).toContain('freed');
    expect(await laptop.run(['run', 'nano:split', 'hello'])).toMatchObject({ code: 7 });
  },
);

test(
  'a model is saved as files that other programs read, and no file is written over',
  { timeout: 120_000 },
  async () => {
    const gguf = join(laptop.home, 'nano.gguf');
    const saved = await laptop.json<{ bytes: number }>(['models', 'export', 'nano', '--format', 'gguf', '--out', gguf]);
    const bytes = readFileSync(gguf);
    expect(bytes.length).toBe(saved.bytes);
    expect(bytes.equals(nanoGguf(await readNanoFile(signal)))).toBe(true);
    // As the format's description has it: magic, version, tensors, and metadata, whose first is the architecture.
    expect([bytes.toString('latin1', 0, 4), bytes.readUInt32LE(4)]).toEqual(['GGUF', 3]);
    const { tensors, data, end } = read(bytes);
    expect(data % 32).toBe(0);
    expect(end).toBe(bytes.length);
    expect([...tensors.keys()]).toEqual(
      expect.arrayContaining(['token_embd.weight', 'output_norm.weight', 'output.weight']),
    );

    const onnx = join(laptop.home, 'nano.onnx');
    await laptop.json(['models', 'export', 'nano', '--out', onnx]);
    await using program = await createNodeRuntime().load(readFileSync(onnx), { signal });
    const ids = { type: 'int64', shape: [1, 3], data: BigInt64Array.of(5n, 6n, 7n) } as const;
    const { logits } = await program.run({ input_ids: ids }, signal);
    expect(logits?.shape).toEqual([1, 3, tensors.get('token_embd.weight')?.[1]]);
    expect(Array.from(logits?.data ?? [NaN], Number).every(Number.isFinite)).toBe(true);

    writeFileSync(gguf, 'mine');
    const again = ['models', 'export', 'nano', '--format', 'gguf', '--out', gguf];
    expect(await laptop.run(again)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is there already') as string,
    });
    expect(readFileSync(gguf, 'utf8')).toBe('mine');
    expect((await laptop.run([...again, '-y'])).code).toBe(0);
    expect(readFileSync(gguf).equals(bytes)).toBe(true);
  },
);

/** Walks through a GGUF file of float32 tensors: their sizes by name, where their data begin, and where the last one ends. */
function read(bytes: Buffer) {
  let at = 24;
  const u32 = (): number => bytes.readUInt32LE((at += 4) - 4);
  const u64 = (): number => Number(bytes.readBigUInt64LE((at += 8) - 8));
  const text = (): string => {
    const length = u64();
    return bytes.toString('utf8', at, (at += length));
  };
  // Types 0 to 12 by their bytes; 8 is a text, 9 a list.
  const widths = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
  const skip = (type: number): void => {
    if (type === 8) text();
    else if (type === 9) for (let [inner, left] = [u32(), u64()]; left > 0; left -= 1) skip(inner);
    else at += widths[type] ?? NaN;
  };
  const [tensorCount, valueCount] = [8, 16].map((from) => Number(bytes.readBigUInt64LE(from))) as [number, number];
  for (let left = valueCount; left > 0; left -= 1) {
    text();
    skip(u32());
  }
  const tensors = new Map<string, number[]>();
  let last = 0;
  for (let left = tensorCount; left > 0; left -= 1) {
    const name = text();
    const sizes = Array.from({ length: u32() }, () => u64());
    expect([name, u32()]).toEqual([name, 0]);
    last = Math.max(last, u64() + 4 * sizes.reduce((product, size) => product * size, 1));
    tensors.set(name, sizes);
  }
  const data = Math.ceil(at / 32) * 32;
  return { tensors, data, end: data + last };
}
