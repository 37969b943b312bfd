import { once } from 'node:events';
import { callMethod, PeerAiError, type PeerId, type Program, type Tensors, utf8 } from '@peerai/core-protocol';
import { MemoryShelf } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { ask, live, pair, startAsking, textOf, until } from '../testing/steps.ts';

import type { ModelRunner } from './imported/runner.ts';
import { modelLimits } from './limits.ts';
import { inferMethod } from './run-wire.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
async function* file(...bytes: readonly number[]): AsyncGenerator<Uint8Array> {
  yield Uint8Array.from(bytes);
}

/** Doubles numbers and repeats words. The file's first byte 8 goes on until it is told to end; 9 is ended by its limit the first time. */
function runner() {
  const told: string[] = [];
  const ending = async (within: AbortSignal): Promise<never> => {
    told.push('begun');
    if (!within.aborted) await once(within, 'abort');
    told.push('told to end');
    throw within.reason;
  };
  let faults = 0;
  const fail = (): void => {
    faults += 1;
    if (faults === 1) throw new PeerAiError('RUN_LIMIT', 'The run took too long; its process was ended.');
  };
  const value = { type: 'float32' as const, shape: ['rows', 2] };
  const modelRunner: ModelRunner = {
    read: async ([kind]) => ({
      producer: 'test',
      nodes: 1,
      operators: ['Mul'],
      inputs: [{ name: 'x', ...value }],
      outputs: [{ name: 'y', ...value }],
      ...(kind === 1 ? {} : { texts: 'language' as const }),
    }),
    async load([kind]) {
      const program: Partial<Program> = {
        async run({ x }: Tensors, within): Promise<Tensors> {
          if (x === undefined) throw new Error('no x');
          if (kind === 8) return ending(within);
          if (kind === 9) fail();
          return { y: { ...x, data: Float32Array.from(x.data as Float32Array, (number) => 2 * number) } };
        },
        [Symbol.asyncDispose]: async () => void told.push('ended'),
      };
      return program as Program;
    },
    loadEmbedder: async () => {
      throw new PeerAiError('MODEL_REFUSED', 'these make no vectors');
    },
    loadWriter: async ([kind]) => ({
      facts: { contextTokens: 32, hasTemplate: true },
      async write({ messages }, { maxTokens }, heard, within) {
        if (kind === 8 && maxTokens > 1) {
          heard('so');
          return ending(within);
        }
        if (kind === 9 && maxTokens > 1) fail();
        heard(messages.at(-1)?.text ?? '');
        return { reason: 'stop', promptTokens: 1, answerTokens: 1 };
      },
      [Symbol.asyncDispose]: async () => void told.push('ended'),
    }),
  };
  return { modelRunner, told };
}

/** Of a request that holds so much: its kind, and the tag and length of its body. */
const frameBytes = 7;

/** A desk with model files, and a laptop that may chat with it. */
async function two() {
  const world = testWorld();
  const { modelRunner, told } = runner();
  const desk = await world.peer('desk', { shelf: new MemoryShelf(), modelRunner });
  const laptop = await world.peer('laptop');
  await pair(world, desk, laptop);
  const offer = async (name: string, kind: number): Promise<void> => {
    await desk.peer.imported.add(name, file(kind), live());
    await desk.peer.models.expose(name, true);
  };
  const run = (name: string, inputs: object = { x: [[1, 2]] }, signal = live()) =>
    laptop.peer.modelRuns.run(name, inputs as Record<string, unknown>, signal);
  return { world, desk, laptop, told, offer, run };
}
const allow = async (desk: TestPeer, ...rights: readonly 'chat'[]): Promise<unknown> =>
  desk.peer.peers.change('laptop', { allow: [...rights] });

describe('a model file that takes numbers', () => {
  test('is run by a paired device once its owner offers it by name', async () => {
    const { world, desk, offer, run } = await two();
    await desk.peer.imported.add('double', file(1), live());
    expect((await desk.peer.modelRuns.list()).models).toMatchObject([{ name: 'double', exposed: false }]);
    // `*` offers what answers words, and not this.
    await expect(world.clock.until(run('double@desk'))).rejects.toThrow(code('MODEL_UNKNOWN'));
    await offer('double', 1);
    expect(await desk.peer.modelRuns.get('double')).toMatchObject({ exposed: true });
    const found = await world.clock.until(run('double@desk'));
    expect(found).toMatchObject({ model: 'double@desk', outputs: { y: { shape: [1, 2], data: [2, 4] } } });
    expect(await desk.peer.modelRuns.run('double', { x: [[3, 4]] }, live())).toMatchObject({ model: 'double' });
    await desk.peer.models.expose('double', false);
    await expect(world.clock.until(run('double@desk'))).rejects.toThrow(code('MODEL_UNKNOWN'));
  });

  test('is kept from who may not chat here, from strangers, and from a name nobody has', async () => {
    const { world, desk, offer, run } = await two();
    await offer('double', 1);
    await allow(desk);
    await expect(world.clock.until(run('double@desk'))).rejects.toThrow(code('NOT_GRANTED'));
    const network = world.networks.join('stranger' as PeerId);
    const question = { requestId: 'r', model: 'double', inputs: { x: [[1, 2]] } };
    const strange = callMethod({ network, clock: world.clock }, desk.identity.peer, inferMethod, question, {
      signal: live(),
    });
    await expect(world.clock.until(strange)).rejects.toThrow(code('REFUSED'));
    await expect(run('double@nobody')).rejects.toThrow(code('DEVICE_UNKNOWN'));
  });

  test('says which input is wrong, and nothing runs', async () => {
    const { world, offer, run } = await two();
    await offer('double', 1);
    const wrong = expect.objectContaining({ code: 'INVALID_FORMAT', message: expect.stringContaining('it takes x') });
    await expect(world.clock.until(run('double@desk', { z: [1] }))).rejects.toThrow(wrong);
    const long = 'n'.repeat(modelLimits.importedNameCharsMax);
    await expect(world.clock.until(run(`${long}@desk`))).rejects.toThrow(code('MODEL_UNKNOWN'));
    await expect(world.clock.until(run(`${long}n@desk`))).rejects.toThrow(code('INVALID_FORMAT'));
  });

  test('takes a question as long as is said, and not one byte more', async () => {
    const { world, offer, run } = await two();
    await offer('double', 1);
    const requestId = '0'.repeat(32);
    const rest = JSON.stringify({ requestId, model: 'double', inputs: { x: '' } }).length + frameBytes;
    const of = (bytes: number) => world.clock.until(run('double@desk', { x: 'x'.repeat(bytes - rest) }));
    await expect(of(modelLimits.askedRunBytesMax)).rejects.toThrow(code('INVALID_FORMAT'));
    await expect(of(modelLimits.askedRunBytesMax + 1)).rejects.toThrow(code('LIMIT_EXCEEDED'));
  });

  test('that was ended by its limit says so, and runs again for the next', async () => {
    const { world, offer, run, told } = await two();
    await offer('greedy', 9);
    await expect(world.clock.until(run('greedy@desk'))).rejects.toThrow(code('RUN_LIMIT'));
    expect(told).toEqual(['ended']);
    expect(await world.clock.until(run('greedy@desk'))).toMatchObject({ outputs: { y: { data: [2, 4] } } });
  });

  test.each<[string, (it: Awaited<ReturnType<typeof two>>, leave: () => void) => Promise<unknown>, string]>([
    ['its asker leaves', async (_, leave) => leave(), 'ABORTED'],
    ['its asker may not chat any more', async ({ desk }) => allow(desk), 'NOT_GRANTED'],
    ['its time is over', async ({ world }) => world.clock.advance(modelLimits.askedRunMs), 'TIMEOUT'],
  ])('is ended when %s', async (_, happen, expected) => {
    const it = await two();
    await it.offer('slow', 8);
    const leaving = new AbortController();
    const going = it.run('slow@desk', undefined, leaving.signal).catch((error: unknown) => error);
    await until(it.world.clock, () => it.told.includes('begun'));
    await happen(it, () => leaving.abort(new PeerAiError('ABORTED', 'enough')));
    expect(await it.world.clock.until(going)).toMatchObject({ code: expected });
    await until(it.world.clock, () => it.told.includes('ended'));
    expect(it.told).toEqual(['begun', 'told to end', 'ended']);
  });

  test('is asked for by one device as often at once as is said, and not once more', async () => {
    const { world, offer, run, told } = await two();
    await offer('slow', 8);
    const leaving = new AbortController();
    const runs = Array.from({ length: modelLimits.askedRunsPerPeerMax }, () =>
      run('slow@desk', undefined, leaving.signal).catch((error: unknown) => error),
    );
    await until(world.clock, () => told.includes('begun'));
    await expect(world.clock.until(run('slow@desk'))).rejects.toThrow(code('LIMIT_REACHED'));
    leaving.abort(new PeerAiError('ABORTED', 'enough'));
    for (const one of runs) expect(await world.clock.until(one)).toMatchObject({ code: 'ABORTED' });
  });
});

describe('an imported language model', () => {
  const talk = async (name: string, kind: number) => {
    const it = await two();
    await it.desk.peer.imported.add(name, file(kind), live());
    async function* files(): AsyncGenerator<Uint8Array> {
      yield utf8('{"model":{}}');
    }
    await it.desk.peer.imported.addTokenizer(name, files(), live());
    await until(it.world.clock, async () =>
      (await it.laptop.peer.models.list()).models.some(({ model }) => model === name),
    );
    return it;
  };

  test('answers a paired device by chat, also after the end of its process', async () => {
    const { world, laptop } = await talk('parrot', 9);
    const broken = await ask(world, laptop, 'parrot@desk', 'hello');
    expect(broken.at(-1)).toMatchObject({ type: 'error', code: 'RUN_LIMIT' });
    expect(textOf(await ask(world, laptop, 'parrot@desk', 'hello'))).toBe('hello');
  });

  test('is told to end when its asker leaves', async () => {
    const { world, laptop, told } = await talk('talker', 8);
    told.length = 0;
    const asking = startAsking(laptop, 'talker@desk', 'hello');
    await until(world.clock, () => textOf(asking.events) === 'so');
    asking.stop();
    await until(world.clock, () => told.includes('ended'));
    expect(told).toEqual(['begun', 'told to end', 'ended']);
  });

  test('is not there for who may not chat', async () => {
    const { world, desk, laptop } = await talk('parrot', 2);
    await allow(desk);
    const events = await ask(world, laptop, 'parrot@desk', 'hello');
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'NOT_GRANTED' });
  });
});
