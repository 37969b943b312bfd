import { type Channel, PeerAiError, type Runtime, type Tensor } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { cacheBytesOf } from './decoding.ts';
import { createStageHost } from './host.ts';
import type { SplitModel } from './layered.ts';
import { answerForm, encodeOpen, questionForm } from './messages.ts';
import { splitModel, type Stage } from './plan.ts';
import { stageProtocol } from './protocol.ts';
import type { LanguageStage } from './step-graph.ts';
import { unpackTensors } from './tensors.ts';
import { packWeights } from './weights.ts';
import { peerOf } from './testing/world.ts';

const { signal } = new AbortController();
const none = { offset: undefined, answer: undefined, past: undefined };
const code = (expected: string) => expect.objectContaining({ code: expected });
const need = <T>(value: T | undefined): T => value ?? expect.fail('it is not there');

describe('A channel to a stage', () => {
  const join = () => {
    const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(1) });
    return [networks.join(peerOf('a'), { isGranted: () => true }), networks.join(peerOf('driver'))] as const;
  };

  it('carries two states and `stageRestBytesMax` in one message, and not one byte more', async () => {
    const [host, driver] = join();
    const most = 2 * limits.stageActivationBytesMax + limits.stageRestBytesMax;
    const arrived: number[] = [];
    host.answer(stageProtocol, async (channel) => {
      for await (const message of channel) arrived.push(message.length);
    });
    const channel = await driver.open(peerOf('a'), stageProtocol, { signal });
    await channel.send(new Uint8Array(most));
    await expect(channel.send(new Uint8Array(most + 1))).rejects.toThrow(code('LIMIT_EXCEEDED'));
    expect(arrived).toEqual([most]);
  });

  it('is one of `stageChannelsMax` that a peer opens to one host', async () => {
    const [host, driver] = join();
    host.answer(stageProtocol, async ({ signal: over }) => {
      await new Promise((resolve) => over.addEventListener('abort', resolve, { once: true }));
    });
    const open = () => driver.open(peerOf('a'), stageProtocol, { signal });
    const held: Channel[] = [];
    while (held.length < limits.stageChannelsMax) held.push(await open());
    await expect(open()).rejects.toThrow(code('LIMIT_REACHED'));
    await need(held.pop()).close('ABORTED');
    await expect(open()).resolves.toBeDefined();
  });
});

describe('A message between stages', () => {
  const tensor = (name: string, shape: readonly number[]) => ({
    name,
    form: 'float32' as const,
    shape,
    data: new Uint8Array(4),
  });

  it('has `stageTensorsMax` tensors of `stageRankMax` sizes at the most', () => {
    const list = (count: number, rank: number) =>
      Array.from({ length: count }, (_, place) =>
        tensor(
          `${place}`,
          Array.from({ length: rank }, () => 1),
        ),
      );
    const read = (count: number, rank: number) =>
      Object.keys(
        unpackTensors(answerForm.decode(answerForm.encode({ tensors: list(count, rank), error: undefined })).tensors),
      );
    const { stageTensorsMax: tensors, stageRankMax: rank } = limits;
    expect(read(tensors, rank)).toHaveLength(tensors);
    expect(() => read(tensors + 1, rank)).toThrow(code('INVALID_FORMAT'));
    expect(() => read(tensors, rank + 1)).toThrow(code('INVALID_FORMAT'));
  });
});

it('What goes wrong at a host is told in `stageErrorCharsMax` letters', async () => {
  const stage = need(splitModel({ type: 'mlp', widths: [1, 1], rows: 1 }, 1)[0]);
  for (const letters of [limits.stageErrorCharsMax, limits.stageErrorCharsMax + 1]) {
    const { opened } = await talking([stage], {
      mayUse: () => Promise.reject(new PeerAiError('REFUSED', 'x'.repeat(letters))),
    });
    expect(need(opened[0])).toEqual({ code: 'REFUSED', message: 'x'.repeat(limits.stageErrorCharsMax) });
  }
});

it('Answers at a host keep `stageCacheBytesMax` of keys and values, over all of its stages', async () => {
  const share = limits.stageCacheBytesMax / 4;
  const sized = (length: number): SplitModel => ({
    type: 'language-model',
    sizes: { vocabulary: 2, width: 64, layers: 32, heads: 1, hidden: 1, context: 4_096 },
    batch: { rows: 1, length, learned: 1 },
  });
  const stageOf = (length: number): Stage => need(splitModel(sized(length), 1)[0]);
  const [whole, least] = [stageOf(4_096), stageOf(1)];
  expect(cacheBytesOf(whole as LanguageStage)).toBe(share);
  const { ask } = await talking([whole, least]);
  for (let answer = 0; answer < 4; answer += 1) expect(await ask(0, 'extend', answer)).toBeUndefined();
  expect(await ask(1, 'extend', 9)).toMatchObject({ code: 'LIMIT_REACHED' });
  await ask(0, 'forget', 3);
  expect(await ask(1, 'extend', 9)).toBeUndefined();
  // What the small one took is missing now.
  expect(await ask(0, 'extend', 4)).toMatchObject({ code: 'LIMIT_REACHED' });
});

const vector: Tensor = { type: 'float32', shape: [1, 8], data: new Float32Array(8) };
/** Takes any graph and gives one row for each question. */
const quick: Runtime = {
  load: async () => ({
    run: async () => ({ next: vector }),
    read: async () => vector,
    write: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }),
};

/** A driver with a channel to each of these stages at one host, and what the host said to opening them. */
async function talking(stages: readonly Stage[], options: Partial<Parameters<typeof createStageHost>[1]> = {}) {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(2) });
  const network = networks.join(peerOf('a'), { isGranted: () => true });
  const host = createStageHost({ network, clock, crypto, runtime: quick }, { mayUse: () => true, ...options });
  network.answer(stageProtocol, (channel) => host.answer(channel));
  const driver = networks.join(peerOf('driver'));
  const opened = [];
  const lines: { readonly channel: Channel; readonly messages: AsyncIterator<Uint8Array> }[] = [];
  for (const stage of stages) {
    const weights = new Float32Array(stage.layout.size);
    host.offer(stage, weights);
    const channel = await driver.open(peerOf('a'), stageProtocol, { signal });
    const messages = channel[Symbol.asyncIterator]();
    const mode = stage.model.type === 'mlp' ? 'answer' : 'decode';
    const hash = crypto.sha256(packWeights(weights));
    await channel.send(encodeOpen({ stage, weights: hash, mode, activations: 'float32' }));
    opened.push(answerForm.decode((await messages.next()).value as Uint8Array).error);
    lines.push({ channel, messages });
  }
  const ask = async (line: number, kind: 'extend' | 'forget', answer: number) => {
    const { channel, messages } = need(lines[line]);
    const data = new Uint8Array(8);
    const tensors = kind === 'forget' ? [] : [{ name: 'rows', form: 'int64' as const, shape: [1], data }];
    await channel.send(questionForm.encode({ ...none, kind, answer, past: 0, tensors }));
    if (kind === 'forget') return undefined;
    return answerForm.decode((await messages.next()).value as Uint8Array).error;
  };
  return { opened, ask };
}
