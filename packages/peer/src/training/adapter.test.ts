import { PeerAiError, type Shelf, utf8 } from '@peerai/core-protocol';
import { languageModelLayout, type Layout, loraLayout } from '@peerai/nn-engine';
import { llamaScores, readGguf } from '@peerai/nn-engine/export/testing';
import { createNodeRuntime, readNanoFile, readOnnxSummary } from '@peerai/nn-engine/node';
import { decodeState } from '@peerai/nn-engine/rounds';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import type { ExportFormat } from '../models/own-models.schema.ts';
import type { TestPeer } from '../testing/peers.ts';
import { live } from '../testing/steps.ts';
import { areDone, begin, join, latest, readIn, trainingTown, untilTrained } from '../testing/training-town.ts';
import { decodePlan, encodePlan } from './plan.ts';
import { places } from './run-book.ts';
import { type TrainingPlan, type TrainingRequest, trainingLinkRequestSchema } from './training.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const fox = 'the quick brown fox jumps over the lazy dog. '.repeat(80);
const hen = 'one grey hen sits under the old barn door. '.repeat(80);
const ofFox = { kind: 'adapter', base: 'fox', rank: 4 } as const;

/** An adapter of a run that several devices trained: what they did before is the base. */
async function town(count: number, members: number) {
  const it = await trainingTown(count);
  const { world, at } = it;
  const text = async (one: TestPeer, content: string): Promise<string> => readIn(one, content, 'text.txt');
  const first = { name: 'fox', model: { kind: 'language' }, rounds: 1, localSteps: 15, membersMin: members } as const;
  await begin(world, at(0), { ...first, data: await text(at(0), fox) });
  for (let member = 1; member < members; member += 1) await join(world, at(member), 'fox', fox, 'text.txt');
  await untilTrained(world.clock, () => areDone(...it.peers.slice(0, members)));
  const adapt = async (host: TestPeer, more: Partial<TrainingRequest> = {}) => {
    const wish = { name: 'hen', model: ofFox, data: await text(host, hen), rounds: 3, localSteps: 8, ...more };
    // A run that is done frees its threads before the next begins.
    return untilTrained(world.clock, () =>
      begin(world, host, wish).catch((error: unknown) => {
        if (PeerAiError.is(error, 'RUN_ACTIVE')) return undefined;
        throw error;
      }),
    );
  };
  return { ...it, adapt };
}
const basesOf = (shelf: { readonly files: ReadonlyMap<string, unknown> } | undefined): readonly string[] =>
  [...(shelf?.files.keys() ?? [])].filter((name) => name.startsWith('training/bases/'));
async function exported({ peer }: TestPeer, name: string, format: ExportFormat = 'onnx'): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await peer.own.export(name, format, live())).content) pieces.push(piece);
  return Buffer.concat(pieces);
}
/** How it goes on, asked of the model itself: what loads it does not wait for a clock. */
async function said({ peer }: TestPeer, name: string): Promise<string> {
  const messages = [{ role: 'user', text: 'one grey' }] as const;
  let text = '';
  const answer = (await peer.own.engine.model(name, live()))?.generate({ messages }, { maxTokens: 6 }, live()) ?? [];
  for await (const part of answer) if (part.type === 'text-delta') text += part.text;
  return text;
}
const partOf = ({ parameters }: Layout, weights: Float32Array, name: string): Float32Array => {
  const { offset = 0, size = 0 } = parameters.find((one) => one.name === name) ?? {};
  return weights.slice(offset, offset + size);
};
/** A matrix [inputs, outputs] of the model that `hen` adapts, and merged by the formula from what is on disk: W + alpha / rank · A · B. */
async function mergedByHand({ peer }: TestPeer, shelf: Shelf | undefined, name: string) {
  const [run, first] = await peer.training.list();
  if (run?.plan.model !== 'adapter' || first === undefined || shelf === undefined) throw new Error('nothing to merge');
  const { rank, alpha, base: its } = run.plan;
  const layout = languageModelLayout(its.sizes);
  const state = await shelf.read(places.state(run.id), 0, 8 + 8 * run.parameters);
  const adapter = decodeState(state, run.parameters).weights;
  const part = (side: 'a' | 'b') => partOf(loraLayout(layout, { rank }), adapter, `${name}.${side}`);
  const [base, a, b] = [partOf(layout, (await peer.training.languageOf(first.id)).weights, name), part('a'), part('b')];
  const outputs = b.length / rank;
  const merged = base.map((weight, place) => {
    const [row, column] = [Math.floor(place / outputs), place % outputs];
    let sum = 0;
    for (let k = 0; k < rank; k += 1) sum += (a[row * rank + k] ?? 0) * (b[k * outputs + column] ?? 0);
    return weight + (alpha / rank) * sum;
  });
  return { base, merged, outputs };
}
const farthest = (one: ArrayLike<number>, other: Float32Array): number =>
  one.length === other.length
    ? other.reduce((most, value, place) => Math.max(most, Math.abs(value - (one[place] ?? 0))), 0)
    : Infinity;
const cardOf = async ({ peer }: TestPeer, name: string) =>
  (await peer.models.list()).models.find((model) => model.name === name);

describe('an adapter', { timeout: 120_000 }, () => {
  test('of what was trained together is all that travels, answers with its base, and joins nobody without it', async () => {
    const { world, at, adapt, shelves } = await town(3, 2);
    const [host, one, stranger] = [at(0), at(1), at(2)];
    const base = await latest(host);
    const run = await adapt(host);
    expect(run.plan).toMatchObject({ model: 'adapter', base: { name: 'fox' }, rank: 4, alpha: 4 });
    const sha256 = run.plan.model === 'adapter' ? run.plan.base.sha256 : '';
    await expect(join(world, stranger, 'hen', hen, 'text.txt')).rejects.toThrow(code('BASE_MISSING'));
    await expect(host.peer.training.link('hen', trainingLinkRequestSchema.parse({}))).rejects.toThrow(
      code('UNSUPPORTED'),
    );
    const [offer] = (await one.peer.training.offers(live())).offers;
    expect(offer?.asks.visible.join('\n')).toContain(`"fox", SHA-256 ${sha256}`);
    await join(world, one, 'hen', hen, 'text.txt');
    await untilTrained(world.clock, () => areDone(host, one));
    const [ours, theirs] = [await latest(host), await latest(one)];
    expect([theirs.hash, theirs.file?.sha256]).toEqual([ours.hash, ours.file?.sha256]);
    expect(ours.now?.loss).toBeLessThan((ours.first?.loss ?? 0) - 0.1);
    expect(ours.parameters).toBeLessThan(base.parameters / 10);
    // Three rounds of the adapter, both ways, are less than one of the whole model.
    expect(theirs.bytesSent + theirs.bytesReceived).toBeLessThan(base.parameters / 2);

    await untilTrained(world.clock, async () => (await cardOf(host, 'hen')) !== undefined);
    const card = await cardOf(host, 'hen');
    expect(card).toMatchObject({
      engine: 'trained',
      contextTokensMax: 64,
      description: expect.stringContaining(sha256),
    });
    const answer = await said(host, 'hen');
    expect(answer).toHaveLength(6);
    const [own, plain] = [await exported(host, 'hen'), await exported(host, 'fox')];
    expect(own.length).toBe(plain.length);
    expect(own).not.toEqual(plain);

    const gguf = readGguf(new Uint8Array(await exported(host, 'hen', 'gguf')));
    expect(gguf).toMatchObject({ magic: 'GGUF', version: 3, rest: 0 });
    const { sizes } = run.plan.model === 'adapter' ? run.plan.base : { sizes: undefined };
    if (sizes === undefined) throw new Error('this run is of no adapter');
    expect(Object.fromEntries(gguf.metadata)).toMatchObject({
      'general.architecture': 'llama',
      'general.name': 'hen',
      'llama.context_length': sizes.context,
      'llama.embedding_length': sizes.width,
      'llama.block_count': sizes.layers,
      'llama.feed_forward_length': sizes.hidden,
      'llama.attention.head_count': sizes.heads,
      'llama.vocab_size': 3 + sizes.vocabulary,
    });
    // One matrix is as it is here, after the three marks that the bytes have before them; one has a row for each output there.
    const embedding = await mergedByHand(host, shelves[0], 'embedding');
    const embedded = gguf.tensors.get('token_embd.weight')?.data.subarray(3 * sizes.width) ?? [];
    expect(farthest(embedded, embedding.merged)).toBeLessThan(1e-6);
    expect(farthest(embedded, embedding.base)).toBeGreaterThan(1e-3);
    const { merged: down, outputs } = await mergedByHand(host, shelves[0], '0.down');
    const turned = down.map((_, at) => down[(at % sizes.hidden) * outputs + Math.floor(at / sizes.hidden)] ?? 0);
    expect(farthest(gguf.tensors.get('blk.0.ffn_down.weight')?.data ?? [], turned)).toBeLessThan(1e-6);
    const bytes = [...utf8(`one grey${answer}`)];
    const likeliest = llamaScores(
      gguf,
      sizes,
      bytes.map((byte) => 3 + byte),
    ).map((all) => all.indexOf(Math.max(...all)) - 3);
    expect(String.fromCodePoint(...likeliest.slice(-7, -1))).toBe(answer);
    await host.peer.training.remove('fox');
    expect(await said(host, 'hen')).toBe(answer);
    expect(basesOf(shelves[0])).toEqual([`training/bases/${sha256}`]);
    await host.peer.training.remove('hen');
    expect(basesOf(shelves[0])).toEqual([]);
  });

  test('goes on after kill -9, also when the copy of its base was spoiled, and fails with a code when the base is gone', async () => {
    const { world, at, adapt, again, shelves } = await town(1, 1);
    await adapt(at(0), { rounds: 8, localSteps: 1, membersMin: 1 });
    await untilTrained(world.clock, async () => (await latest(at(0))).round >= 1);
    const [shelf] = shelves;
    const [copy = ''] = basesOf(shelf);
    await shelf?.write(copy, 200, Uint8Array.of(1, 2, 3));
    const back = await again(0);
    await untilTrained(world.clock, () => areDone(back));
    const endless = { rounds: 500, localSteps: 1, membersMin: 1 };
    // An adapter can be of an adapter, whose name is another model's.
    await adapt(back, { name: 'chick', model: { ...ofFox, base: 'hen', rank: 2, alpha: 8 }, ...endless });
    await untilTrained(world.clock, async () => (await latest(back)).round >= 1);
    await back.peer.training.remove('hen');
    for (const name of basesOf(shelf)) await shelf?.remove(name);
    const alone = await again(0);
    await untilTrained(world.clock, async () => (await latest(alone)).state === 'failed');
    expect(await latest(alone)).toMatchObject({ name: 'chick', code: 'BASE_MISSING' });
  });

  test('of the guide speaks in its tokens; what has no layers here is no base', async () => {
    const { world, at, shelves } = await trainingTown(1, [], () => ({ nanoFile: readNanoFile }));
    const host = at(0);
    const ofNano = { name: 'my guide', rounds: 1, localSteps: 1, membersMin: 1 };
    const wish = async (base: string) => ({
      ...ofNano,
      model: { kind: 'adapter', base, rank: 2 } as const,
      data: await readIn(host, fox, 'fox.txt'),
    });
    const run = await begin(world, host, await wish('nano'));
    expect(run.plan).toMatchObject({ base: { name: 'nano', sizes: { width: 192 } } });
    await untilTrained(world.clock, () => areDone(host));
    const { bytes } = await host.peer.training.model('my guide');
    expect(readOnnxSummary(bytes).inputs.map(({ name }) => name)).toContain('token');
    const file = await host.peer.own.export('my-guide', 'tokenizer', live());
    expect(file.name).toBe('my-guide.tokenizer.json');
    await using program = await createNodeRuntime().load(bytes, { signal: live() });
    expect(program).toBeDefined();
    await expect(begin(world, host, await wish('echo'))).rejects.toThrow(code('BASE_MISSING'));
    expect(basesOf(shelves[0])).toHaveLength(1);
  });
});

const plan: TrainingPlan = {
  v: 1,
  model: 'adapter',
  base: {
    name: 'fox',
    sha256: 'ab'.repeat(32),
    sizes: { vocabulary: 256, width: 64, layers: 2, heads: 4, hidden: 128, context: 64 },
  },
  rank: 8,
  alpha: 8,
  learningRate: 0.01,
  seed: 1,
};

test.each<[string, object]>([
  ['a name for a hash', { base: { ...plan.base, sha256: 'fox' } }],
  ['heads that do not share the width in pairs', { base: { ...plan.base, sizes: { ...plan.base.sizes, heads: 64 } } }],
  ['more layers than the limit', { base: { ...plan.base, sizes: { ...plan.base.sizes, layers: 33 } } }],
  ['a rank above the limit', { rank: limits.trainingRankMax + 1 }],
  ['a strength above the limit', { alpha: limits.trainingAlphaMax + 1 }],
])('a plan of an adapter with %s is not understood', (_, change) => {
  expect(decodePlan(encodePlan(plan))).toEqual(plan);
  expect(() => decodePlan(utf8(JSON.stringify({ ...plan, ...change })))).toThrow(code('INVALID_FORMAT'));
});
