import { fromUtf8, type Tensor } from '@peerai/core-protocol';
import { readOnnxSummary, createNodeRuntime, readNanoFile } from '@peerai/nn-engine/node';
import { describe, expect, test } from 'vitest';
import type { TestPeer } from '../../testing/peers.ts';
import { live, startAsking, textOf } from '../../testing/steps.ts';
import { areDone, begin, readIn, trainingTown, untilTrained } from '../../testing/training-town.ts';
import type { ExportFormat } from '../own-models.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const fox = 'the quick brown fox jumps over the lazy dog. '.repeat(80);

async function exported({ peer }: TestPeer, name: string, format: ExportFormat = 'onnx') {
  const file = await peer.own.export(name, format, live());
  const pieces: Uint8Array[] = [];
  for await (const piece of file.content) pieces.push(piece);
  const bytes = new Uint8Array(Buffer.concat(pieces));
  expect(bytes.length).toBe(file.bytes);
  return { name: file.name, bytes };
}

describe('what this peer has the weights of', { timeout: 60_000 }, () => {
  test('a run over text answers as a model, as its exported file does, and is offered when it is named', async () => {
    const { world, at, shelves } = await trainingTown(1, [], () => ({ nanoFile: readNanoFile }));
    const host = at(0);
    expect(await host.peer.own.engine.list(live())).toEqual([]);
    const data = await readIn(host, fox, 'fox.txt');
    const model = { kind: 'language' } as const;
    await begin(world, host, { name: 'my fox', data, model, rounds: 1, localSteps: 25, membersMin: 1 });
    await untilTrained(world.clock, () => areDone(host));
    const isListed = async () => (await host.peer.models.list()).models.some(({ engine }) => engine === 'trained');
    await untilTrained(world.clock, isListed);
    const { models, defaultModel } = await host.peer.models.list();
    expect(models.at(-1)).toMatchObject({ name: 'my-fox', engine: 'trained', contextTokensMax: 64, exposed: false });
    expect(defaultModel).toBe('echo');
    await host.peer.models.expose('my-fox', true);
    expect(host.peer.models.exposedCards().map(({ name }) => name)).toContain('my-fox');

    // It is loaded in real threads, which the steps of a manual clock do not wait for.
    const running = startAsking(host, 'my-fox', 'the quick', 4);
    await untilTrained(world.clock, () => running.ended());
    const text = textOf(running.events);
    const file = await exported(host, 'my fox');
    expect(file.name).toBe('my-fox.onnx');
    await using program = await createNodeRuntime().load(file.bytes, { signal: live() });
    let said = 'the quick';
    for (let made = 0; made < 4; made += 1) {
      const ids = BigInt64Array.from(Buffer.from(said), BigInt);
      const input: Tensor = { type: 'int64', shape: [1, ids.length], data: ids };
      const { logits } = await program.run({ input_ids: input }, live());
      const last = Array.from(logits?.data as Float32Array).slice(-256);
      said += String.fromCodePoint(last.indexOf(Math.max(...last)));
    }
    expect(said).toBe(`the quick${text}`);
    const gguf = await exported(host, 'my-fox', 'gguf');
    expect(fromUtf8(gguf.bytes.subarray(0, 4))).toBe('GGUF');
    const small = await exported(host, 'my-fox', 'gguf-q8');
    expect([small.name, small.bytes.length < gguf.bytes.length / 2]).toEqual(['my-fox.q8_0.gguf', true]);
    const tokenizer = JSON.parse(fromUtf8((await exported(host, 'my-fox', 'tokenizer')).bytes)) as {
      readonly model: { readonly vocab: object };
    };
    expect(Object.keys(tokenizer.model.vocab)).toHaveLength(256);

    const place = [...(shelves[0]?.files.keys() ?? [])].find((name) => name.endsWith('/state')) ?? '';
    await shelves[0]?.write(place, 40, Uint8Array.of(1, 2, 3));
    await expect(exported(host, 'my-fox')).rejects.toThrow(code('HASH_MISMATCH'));
  });

  test('the guide is a file too; what belongs to an engine, or is not there, is said', async () => {
    const { at } = await trainingTown(1, [], () => ({ nanoFile: readNanoFile }));
    const { bytes } = await exported(at(0), 'nano');
    expect(readOnnxSummary(bytes).inputs.map(({ name }) => name)).toEqual(['input_ids']);
    expect((await exported(at(0), 'nano', 'gguf')).name).toBe('nano.gguf');
    await expect(exported(at(0), 'echo')).rejects.toThrow(code('UNSUPPORTED'));
    await expect(exported(at(0), 'nobody')).rejects.toThrow(code('MODEL_UNKNOWN'));
  });
});
