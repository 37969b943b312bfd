import { type Channel, PeerAiError, type Runtime, type Tensors } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom, settle } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { refusedMutations } from '../../test/mutations.ts';

import { limits } from '../limits.ts';
import { createBlobTable } from '../rounds/index.ts';
import { seededUnit } from '../train/random.ts';
import { type StageHostOptions, serveStages } from './host.ts';
import { createLearningRoom } from './learning-room.ts';
import { openStageAnywhere } from './anywhere.ts';
import { answerForm, decodeOpen, encodeOpen, questionForm } from './messages.ts';
import { createStageTrainer, runStages } from './pipeline.ts';
import { splitModel, type Stage, stageWeights } from './plan.ts';
import { stageProtocol } from './protocol.ts';
import { openRemoteStage } from './remote.ts';
import { packTensors, unpackTensors } from './tensors.ts';
import { packWeights, serveStageWeights } from './weights.ts';
import { batchOf, languageModel, placeHere } from './testing/models.ts';
import { answering, driver, peerOf, runtime, weights, world } from './testing/world.ts';

const { signal } = new AbortController();
const none = { offset: undefined, answer: undefined, past: undefined };
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('stages at peers', () => {
  it('give the scores that they give here, and nearly those with activations in eight bits', async () => {
    const { place } = world(languageModel, 2, ['a', 'b']);
    const batch = batchOf(languageModel, 5);
    await using here = await placeHere(runtime, languageModel, { count: 2, weights, mode: 'answer' });
    const expected = (await runStages(here.placed, batch, signal)).data as Float32Array;
    const exact = await runStages(await place(({ index }) => [need(['a', 'b'][index])]), batch, signal);
    expect(exact.data).toEqual(expected);
    const rounded = await runStages(await place(() => ['a'], { activations: 'int8' }), batch, signal);
    expect(rounded.data).not.toEqual(expected);
    const likeness = cosine(rounded.data as Float32Array, expected);
    expect(likeness).toBeGreaterThan(0.9999);
  });

  it('learn what they learn here, bit for bit', async () => {
    const { place } = world(languageModel, 2, ['a', 'b']);
    await using here = await placeHere(runtime, languageModel, { count: 2, weights, mode: 'learn' });
    const there = createStageTrainer(await place(({ index }) => [need(['a', 'b'][index])], { mode: 'learn' }));
    const local = createStageTrainer(here.placed);
    const batch = batchOf(languageModel, 1);
    expect(await there.step(batch, 0.01, signal)).toEqual(await local.step(batch, 0.01, signal));
    expect(await there.weights(signal)).toEqual(await local.weights(signal));
  });

  it('fetch weights that they do not hold from their driver, and check them', async () => {
    const { deps, stages, wanted, join, clock } = world(languageModel, 2, []);
    const host = { clock, crypto, runtime };
    serveStages({ ...host, network: join(peerOf('a')) }, { mayUse: () => true, fetchesWeights: true });
    serveStages({ ...host, network: join(peerOf('b')) }, { mayUse: () => true });
    const stage = need(stages[1]);
    const blobs = createBlobTable(crypto);
    serveStageWeights(deps.network, blobs);
    blobs.put(packWeights(stageWeights(stage, weights)));
    await using runner = await openRemoteStage(deps, peerOf('a'), wanted(stage, []), signal);
    expect(await runner.weights(signal)).toEqual(stageWeights(stage, weights));
    await expect(openRemoteStage(deps, peerOf('b'), wanted(stage, []), signal)).rejects.toThrow(code('NOT_FOUND'));
  });

  it('are for whom their host says, and the others hear so', async () => {
    const asked: unknown[] = [];
    const mayUse: StageHostOptions['mayUse'] = (...what) => asked.push(what) < 0;
    const { deps, stages, wanted } = world(languageModel, 2, ['a'], { mayUse });
    const stage = need(stages[1]);
    await expect(openRemoteStage(deps, peerOf('a'), wanted(stage, []), signal)).rejects.toThrow(code('REFUSED'));
    expect(asked).toEqual([[driver, stage, 'answer']]);
  });
});

describe('a peer that dies', () => {
  it('takes what its stage learned with it', async () => {
    const { place, networks } = world(languageModel, 2, ['a', 'b', 'c']);
    const placed = await place(({ index }) => (index === 0 ? ['a'] : ['b', 'c']), { mode: 'learn' });
    const trainer = createStageTrainer(placed);
    await trainer.step(batchOf(languageModel, 1), 0.01, signal);
    networks.kill(peerOf('b'));
    for (let time = 0; time < 2; time += 1)
      await expect(trainer.step(batchOf(languageModel, 2), 0.01, signal)).rejects.toMatchObject({
        code: 'STAGE_LOST',
        details: { index: 1 },
      });
  });

  it('is not one that was closed while it worked', async () => {
    const { deps, stages, wanted } = world(languageModel, 2, []);
    const lost: unknown[] = [];
    const begun = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<never>();
    const none = () => Promise.reject(new Error('nothing else is asked here'));
    const working = {
      forward() {
        begun.resolve();
        return closed.promise;
      },
      backward: none,
      update: none,
      weights: none,
      begin: () => expect.unreachable('nothing is decoded here'),
      [Symbol.asyncDispose]: async () => closed.reject(new PeerAiError('CHANNEL_CLOSED', 'it was closed')),
    };
    const own = { peer: driver, open: async () => working };
    const onLost = (peer: unknown): void => void lost.push(peer);
    const runner = await openStageAnywhere(deps, wanted(need(stages[0]), [driver], { own, onLost, mode: 'learn' }));
    const asked = expect(runner.forward({}, signal)).rejects.toThrow(code('ABORTED'));
    await begun.promise;
    await runner[Symbol.asyncDispose]();
    await asked;
    expect(lost).toEqual([]);
  });

  it('and one that is stopped, end the work there', async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const stuck: Runtime = {
      load: async () => ({
        run: (_, until) =>
          new Promise((_, reject) => {
            begun.resolve();
            until.addEventListener('abort', () => reject(new PeerAiError('ABORTED', 'stopped')));
          }),
        read: () => Promise.reject(new Error('nothing is read here')),
        write: async () => undefined,
        [Symbol.asyncDispose]: async () => ended.resolve(),
      }),
    };
    const placed = await world(answering, 1, ['a'], { runtime: stuck }).place(() => ['a'], { mode: 'answer' });
    const stopped = new AbortController();
    const token = runStages(placed, batchOf(answering, 1), stopped.signal);
    token.catch(() => undefined);
    await begun.promise;
    stopped.abort();
    await expect(token).rejects.toThrow(code('ABORTED'));
    await ended.promise;
  });

  it('and one that never answers, is given up after a call’s time', async () => {
    const { deps, clock, stages, wanted } = world(answering, 1, ['a'], { mayUse: () => new Promise(() => undefined) });
    const opening = openRemoteStage(deps, peerOf('a'), wanted(need(stages[0]), []), signal).catch(
      (error: unknown) => error,
    );
    await clock.advance(limits.stageCallMs - 1);
    expect(await Promise.race([opening, Promise.resolve('waits')])).toBe('waits');
    await clock.advance(1);
    expect(await opening).toMatchObject({ code: 'TIMEOUT' });
  });
});

describe('what is bounded', () => {
  it('offers and stages that are open at one host', async () => {
    const { served, stages, deps, wanted, join } = world(answering, 1, ['a']);
    const [host, stage] = [need(served[0]), need(stages[0])];
    const held: Channel[] = [];
    const widths = (width: number): Stage => need(splitModel({ type: 'mlp', widths: [width, 1], rows: 1 }, 1)[0]);
    for (let width = 1; width < limits.stagesOfferedMax; width += 1)
      host.offer(widths(width), new Float32Array(width + 1));
    expect(() => host.offer(widths(1_000), new Float32Array(1_001))).toThrow(code('LIMIT_REACHED'));
    host.offer(stage, stageWeights(stage, weights));
    for (let place = 0; place <= limits.stagesOpenMax; place += 1) {
      const network = join(peerOf(`driver ${place}`));
      const opening = network.open(peerOf('a'), stageProtocol, { signal });
      held.push(await opening);
    }
    const last = need(held.at(-1));
    const { value } = await last[Symbol.asyncIterator]().next();
    expect(answerForm.decode(value as Uint8Array).error?.code).toBe('LIMIT_REACHED');
    await need(held[0]).close();
    await settle();
    await using runner = await openRemoteStage(deps, peerOf('a'), wanted(stage, [], { mode: 'answer' }), signal);
    expect(await runner.weights(signal)).toHaveLength(stage.layout.size);
    for (const channel of held) await channel.close('ABORTED');
  });

  it('stages that learn at one host, and what one of them holds', async () => {
    const idle: Runtime = {
      load: async () => ({
        run: () => Promise.reject(new Error('nothing is run here')),
        read: () => Promise.reject(new Error('nothing is read here')),
        write: async () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      }),
    };
    const { stages, deps, wanted } = world(languageModel, 2, ['a'], { runtime: idle });
    const stage = need(stages[0]);
    const open = (mode: 'learn' | 'answer') => openRemoteStage(deps, peerOf('a'), wanted(stage, [], { mode }), signal);
    const held: AsyncDisposable[] = [];
    for (let count = 0; count < limits.stagesLearningMax; count += 1) held.push(await open('learn'));
    await expect(open('learn')).rejects.toThrow(code('LIMIT_REACHED'));
    await using _ = await open('answer');
    await held.pop()?.[Symbol.asyncDispose]();
    await settle();
    held.push(await open('learn'));
    for (const one of held) await one[Symbol.asyncDispose]();

    // The only stage of a network is its last: six vectors of its weights.
    const most = Math.floor(limits.stageLearnBytesMax / (4 * 6)) - 1;
    const sized = (weights: number) => need(splitModel({ type: 'mlp', widths: [weights, 1], rows: 1 }, 1)[0]);
    const room = createLearningRoom();
    expect(() => room.take({ ...sized(1), layout: { parameters: [], size: most + 1 } })).not.toThrow();
    expect(() => room.take({ ...sized(1), layout: { parameters: [], size: most + 2 } })).toThrow(
      code('LIMIT_EXCEEDED'),
    );
  });

  it('activations at their limit travel, and one element more does not', () => {
    const elements = limits.stageActivationBytesMax / 4;
    const state = (count: number): Tensors => ({
      state: { type: 'float32', shape: [count], data: new Float32Array(count) },
    });
    expect(unpackTensors(packTensors(state(elements), 'float32'))['state']?.shape).toEqual([elements]);
    expect(() => packTensors(state(elements + 1), 'float32')).toThrow(code('LIMIT_EXCEEDED'));
    const rows = [elements / 8 + 1, 8];
    const large = { name: 'state', form: 'int8', shape: rows, data: new Uint8Array() } as const;
    expect(() => unpackTensors([large])).toThrow(code('LIMIT_EXCEEDED'));
  });

  it('tensors of one message, and what a host says of an error', async () => {
    const one = { name: 'a', form: 'float32', shape: [], data: new Uint8Array(4) } as const;
    const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...one, name: `${index}` }));
    const question = (count: number) => questionForm.encode({ kind: 'forward', tensors: many(count), ...none });
    expect(questionForm.decode(question(limits.stageTensorsMax)).tensors).toHaveLength(limits.stageTensorsMax);
    expect(() => questionForm.decode(question(limits.stageTensorsMax + 1))).toThrow(code('INVALID_FORMAT'));
    expect(() => unpackTensors([one, one])).toThrow(code('INVALID_FORMAT'));
    for (const more of [0, 1]) {
      const text = 'x'.repeat(limits.stageErrorCharsMax + more);
      const mayUse = () => Promise.reject(new PeerAiError('REFUSED', text));
      const { deps, stages, wanted } = world(answering, 1, ['a'], { mayUse });
      const error = await openRemoteStage(deps, peerOf('a'), wanted(need(stages[0]), []), signal).catch(
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: 'REFUSED', message: text.slice(0, limits.stageErrorCharsMax) });
    }
  });

  it('rows in eight bits have a cosine of 0.9999 with what they were', () => {
    const random = seededUnit(4);
    const data = Float32Array.from({ length: 64 * 128 }, () => random() + random() + random() - 1.5);
    data.fill(0, 0, 128);
    const [packed] = packTensors({ state: { type: 'float32', shape: [64, 128], data } }, 'int8');
    expect(need(packed).data).toHaveLength(64 * 132);
    const back = need(unpackTensors([need(packed)])['state']).data as Float32Array;
    expect(cosine(back, data)).toBeGreaterThan(0.9999);
    expect(back.subarray(0, 128)).toEqual(new Float32Array(128));
  });

  const stage = need(splitModel(languageModel, 2)[1]);
  const batch = packTensors(
    { ...batchOf(languageModel, 1), next: { type: 'float32', shape: [2, 3], data: new Float32Array(6) } },
    'int8',
  );
  it.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
    ['an opening', encodeOpen({ stage, weights: new Uint8Array(32), mode: 'learn', activations: 'int8' }), decodeOpen],
    [
      'a question',
      questionForm.encode({ kind: 'forward', tensors: batch, offset: 1, answer: 2, past: 3 }),
      (bytes) => unpackTensors(questionForm.decode(bytes).tensors),
    ],
    [
      'an answer',
      answerForm.encode({ tensors: batch, error: { code: 'REFUSED', message: 'no' } }),
      (bytes) => unpackTensors(answerForm.decode(bytes).tensors),
    ],
  ])('%s: ten thousand mutations are read or refused with a code', (_, valid, decode) => {
    decode(valid);
    const random = seededRandom(7);
    expect(refusedMutations(valid, random, decode)).toBeGreaterThan(100);
  });
});

function cosine(left: Float32Array, right: Float32Array): number {
  let [dot, a, b] = [0, 0, 0];
  left.forEach((value, index) => {
    const other = right[index] ?? 0;
    dot += value * other;
    a += value ** 2;
    b += other ** 2;
  });
  return dot / Math.sqrt(a * b);
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}
