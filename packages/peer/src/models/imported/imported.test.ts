import { once } from 'node:events';
import { PeerAiError, type Program, type Tensors } from '@peerai/core-protocol';
import { ManualClock, MemoryShelf, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { modelLimits } from '../limits.ts';
import { records } from '../../store/records.ts';
import { createImportedModels, type ImportedModels } from '../imported-models.ts';
import type { ModelFacts } from './runner.ts';

const facts: ModelFacts = {
  producer: 'test',
  nodes: 1,
  operators: ['Mul'],
  inputs: [{ name: 'x', type: 'float32', shape: ['rows', 2] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['rows', 2] }],
};
const { signal } = new AbortController();
async function* bytes(...values: number[]): AsyncGenerator<Uint8Array> {
  yield Uint8Array.from(values);
}

/** Programs that double what they get; the file's first byte 9 fails, 8 goes on until it is told to end, and 0 is no model. */
function world(options: { readonly store?: MemoryStore; readonly shelf?: MemoryShelf } = {}) {
  const { store = new MemoryStore(), shelf = new MemoryShelf() } = options;
  const clock = new ManualClock();
  const told: string[] = [];
  const double = async ({ x }: Tensors): Promise<Tensors> => {
    if (x === undefined) throw new PeerAiError('SHAPE_MISMATCH', 'no x');
    return { y: { ...x, data: Float32Array.from(x.data as Float32Array, (number) => number * 2) } };
  };
  const imported: ImportedModels = createImportedModels({
    store,
    shelf,
    clock,
    random: seededRandom(5),
    isTaken: (name) => name === 'echo',
    changed: () => told.push('changed'),
    modelRunner: {
      async read(file) {
        if (file[0] === 0) throw new PeerAiError('MODEL_INVALID', 'this is none');
        return facts;
      },
      async loadEmbedder(file, tokenizer) {
        told.push(`load ${file[0]} with ${tokenizer[0]}`);
        if (tokenizer[0] === 0) throw new PeerAiError('MODEL_INVALID', 'this is no tokenizer');
        return {
          embed: async (texts) => texts.map(() => Float32Array.of(0, 1, 0)),
          [Symbol.asyncDispose]: async () => void told.push(`end ${file[0]} with ${tokenizer[0]}`),
        };
      },
      loadWriter: async () => {
        throw new PeerAiError('MODEL_REFUSED', 'these write nothing');
      },
      async load(file) {
        told.push(`load ${file[0]}`);
        const program: Partial<Program> = {
          async run(feeds, within) {
            within.throwIfAborted();
            if (file[0] === 8) {
              told.push('run 8');
              await once(within, 'abort');
              throw within.reason;
            }
            if (file[0] === 9) throw new PeerAiError('RUN_LIMIT', 'too long');
            return double(feeds);
          },
          [Symbol.asyncDispose]: async () => void told.push(`end ${file[0]}`),
        };
        return program as Program;
      },
    },
  });
  return { imported, store, shelf, clock, told };
}
const x = [[1, 2]];

describe('imported models', () => {
  it('are kept by their hash, shown, run, and still there after a restart', async () => {
    const { imported, store, shelf, told } = world();
    const model = await imported.add('double', bytes(1, 2, 3), signal);
    expect(model).toMatchObject({ name: 'double', bytes: 3, ...facts, loaded: false });
    expect([...shelf.files.keys()]).toEqual([`models/${model.sha256}.onnx`]);
    expect(await imported.run('double', { x }, signal)).toMatchObject({
      model: 'double',
      outputs: { y: { type: 'float32', shape: [1, 2], data: [2, 4] } },
    });
    expect(await imported.get('double')).toMatchObject({ loaded: true });
    await imported.stop();
    expect(told).toEqual(['changed', 'load 1', 'end 1']);
    const again = world({ store: store.reopen(), shelf });
    expect((await again.imported.list()).models).toEqual([{ ...model, loaded: false }]);
  });

  it('may have two names; the file goes with the last', async () => {
    const { imported, shelf } = world();
    const { sha256 } = await imported.add('one', bytes(1), signal);
    await imported.add('two', bytes(1), signal);
    await imported.remove('one');
    expect([...shelf.files.keys()]).toEqual([`models/${sha256}.onnx`]);
    await imported.remove('two');
    expect([...shelf.files.keys()]).toEqual([]);
    await expect(imported.remove('two')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  });

  it('make embeddings once they have a tokenizer, and stand among the models then', async () => {
    const { imported, shelf, store, told } = world();
    expect(await imported.engine.list(signal)).toEqual([]);
    await imported.add('words', bytes(1), signal);
    expect(await imported.engine.list(signal)).toEqual([]);
    await expect(imported.addTokenizer('words', bytes(0), signal)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    expect(shelf.files.size).toBe(1);
    const { embedding } = await imported.addTokenizer('words', bytes(5), signal);
    expect(embedding?.dimensions).toBe(3);
    const [model] = await imported.engine.list(signal);
    expect(model?.card).toMatchObject({ name: 'words', engine: 'onnx', embeds: true });
    expect(await model?.embed?.(['a', 'b'], signal)).toEqual([Float32Array.of(0, 1, 0), Float32Array.of(0, 1, 0)]);
    const answer = model?.generate({ messages: [] }, { maxTokens: 1 }, signal)[Symbol.asyncIterator]().next();
    await expect(answer).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await imported.addTokenizer('words', bytes(6), signal);
    expect([...shelf.files.keys()].filter((name) => name.endsWith('.json'))).toHaveLength(1);
    await imported.run('words', { x }, signal);
    expect(told.filter((one) => one !== 'changed')).toEqual([
      'load 1 with 0',
      'load 1 with 5',
      'end 1 with 5',
      'load 1 with 6',
      'end 1 with 6',
      'load 1',
    ]);
    const again = world({ store: store.reopen(), shelf }).imported;
    expect((await again.engine.model('words', signal))?.card.embeds).toBe(true);
    expect(await again.engine.model('none', signal)).toBe(undefined);
    await again.remove('words');
    expect(shelf.files.size).toBe(0);
  });

  it('are removed while they run', async () => {
    const { imported, told } = world();
    await imported.add('slow', bytes(8), signal);
    const ended = expect(imported.run('slow', { x }, signal)).rejects.toThrow('was removed');
    await expect.poll(() => told).toContain('run 8');
    await imported.remove('slow');
    await ended;
    expect(told.at(-1)).toBe('end 8');
  });

  it.each([
    ['what is no model', 'x', [0], 'MODEL_INVALID'],
    ['a name that is in use', 'one', [2], 'MODEL_EXISTS'],
    ['the name of a model that an engine has', 'echo', [2], 'MODEL_EXISTS'],
    ['a name that leads elsewhere', '../one', [2], 'INVALID_FORMAT'],
  ])('refuses %s and leaves nothing of it', async (_, name, file, code) => {
    const { imported, shelf } = world();
    await imported.add('one', bytes(1), signal);
    await expect(imported.add(name, bytes(...file), signal)).rejects.toMatchObject({ code });
    expect(shelf.files.size).toBe(1);
    expect(await imported.add('one', bytes(1), signal)).toMatchObject({ name: 'one' });
  });

  it('leave nothing when their import is cancelled, and nothing of a crash', async () => {
    const { imported, shelf } = world();
    const going = new AbortController();
    async function* half(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(modelLimits.importedPieceBytes);
      going.abort();
      yield Uint8Array.of(1);
    }
    await expect(imported.add('x', half(), going.signal)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(shelf.files.size).toBe(0);
    await shelf.write('models/incoming/1', 0, Uint8Array.of(1));
    await shelf.write('models/aa.onnx', 0, Uint8Array.of(1));
    await world({ shelf }).imported.list();
    expect(shelf.files.size).toBe(0);
  });

  it('are not run when their file was changed', async () => {
    const { imported, shelf } = world();
    const { sha256 } = await imported.add('one', bytes(1), signal);
    await shelf.write(`models/${sha256}.onnx`, 0, Uint8Array.of(2));
    await expect(imported.run('one', { x }, signal)).rejects.toMatchObject({ code: 'HASH_MISMATCH' });
  });

  it('hold memory one at a time, and for a minute', async () => {
    const { imported, clock, told } = world();
    await imported.add('one', bytes(1), signal);
    await imported.add('two', bytes(2), signal);
    told.length = 0;
    for (const name of ['one', 'one', 'two']) await imported.run(name, { x }, signal);
    expect(told).toEqual(['load 1', 'end 1', 'load 2']);
    await clock.advance(modelLimits.modelRestMs - 1);
    expect(told).toHaveLength(3);
    await clock.advance(1);
    await expect.poll(() => told.at(-1)).toBe('end 2');
  });

  it('are loaded again after a run that ended them, and not after a wrong question', async () => {
    const { imported, told } = world();
    await imported.add('bad', bytes(9), signal);
    for (let turn = 0; turn < 2; turn += 1)
      await expect(imported.run('bad', { x }, signal)).rejects.toMatchObject({ code: 'RUN_LIMIT' });
    expect(told.slice(1)).toEqual(['load 9', 'end 9', 'load 9', 'end 9']);
    await expect(imported.run('bad', {}, signal)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    expect(told).toHaveLength(5);
  });

  it('are refused where there is no runner', async () => {
    const { imported } = world();
    const none = createImportedModels({
      store: new MemoryStore(),
      clock: new ManualClock(),
      random: seededRandom(1),
      isTaken: () => false,
      changed: () => undefined,
    });
    expect((await none.list()).models).toEqual([]);
    await expect(none.add('x', bytes(1), signal)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await imported.stop();
    await expect(imported.list()).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('limits of imported models', () => {
  it('of names', async () => {
    const { imported } = world();
    const name = 'n'.repeat(modelLimits.importedNameCharsMax);
    expect(await imported.add(name, bytes(1), signal)).toMatchObject({ name });
    await expect(imported.add(`${name}n`, bytes(1), signal)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  });

  it('of their number', async () => {
    const { imported } = world();
    for (let turn = 0; turn < modelLimits.importedModelsMax; turn += 1)
      await imported.add(`m${turn}`, bytes(1), signal);
    await expect(imported.add('more', bytes(1), signal)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('of all their bytes', async () => {
    const store = new MemoryStore();
    const row = { ...facts, name: 'big', sha256: '00', importedMs: 0, bytes: modelLimits.importedBytesMax - 1 };
    const room = store.room('imported-models');
    await room.commit([records(room, 'model').put('big', row)]);
    const { imported } = world({ store });
    await imported.add('one', bytes(1), signal);
    await expect(imported.add('two', bytes(2), signal)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('of a tokenizer', async () => {
    const { imported } = world();
    await imported.add('one', bytes(1), signal);
    async function* file(size: number): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(size).fill(5);
    }
    const { tokenizerBytesMax: max } = modelLimits;
    expect((await imported.addTokenizer('one', file(max), signal)).embedding?.dimensions).toBe(3);
    const over = imported.addTokenizer('one', file(max + 1), signal);
    await expect(over).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE' });
  });

  it('of one file', async () => {
    const { imported, shelf } = world();
    // The shelf forgets what it gets: a quarter of a gigabyte is not copied about in a test.
    let written = 0;
    shelf.write = async (_, offset, piece) => void (written = offset + piece.length);
    shelf.read = async () => Uint8Array.of(1);
    shelf.sha256 = async () => new Uint8Array(32);
    const piece = new Uint8Array(modelLimits.importedPieceBytes);
    async function* file(size: number): AsyncGenerator<Uint8Array> {
      for (let left = size; left > 0; left -= piece.length) yield piece.subarray(0, left);
    }
    expect(await imported.add('at', file(modelLimits.importedFileBytesMax), signal)).toMatchObject({
      bytes: modelLimits.importedFileBytesMax,
    });
    expect(written).toBe(modelLimits.importedFileBytesMax);
    await expect(imported.add('over', file(modelLimits.importedFileBytesMax + 1), signal)).rejects.toMatchObject({
      code: 'MODEL_TOO_LARGE',
    });
  });

  it('of waiting runs', async () => {
    const { imported } = world();
    await imported.add('one', bytes(1), signal);
    const runs = Array.from({ length: modelLimits.modelRunsWaitingMax + 1 }, () => imported.run('one', { x }, signal));
    const ends = await Promise.allSettled(runs);
    expect(ends.slice(0, -1).every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(ends.at(-1)).toMatchObject({ reason: { code: 'LIMIT_REACHED' } });
  });
});
