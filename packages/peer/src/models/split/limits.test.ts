import { type LanguageModel, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { records } from '../../store/records.ts';
import { modelLimits } from '../limits.ts';
import type { SplitsDeps } from '../splits.ts';
import { openSplitRoom, splitRoomName } from './split-room.ts';
import type { SplitRow } from './split-row.ts';
import { splitRequestSchema } from './split.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const { signal } = new AbortController();

/** A room with so many split models, and what becomes of looking for the weights of one. */
async function room(count: number, source: () => Promise<never>) {
  const [clock, store] = [new ManualClock(), new MemoryStore()];
  const rows = records<SplitRow>(store.room(splitRoomName), 'split');
  const row = { model: 'nano', source: 'nano', activations: 'float32', createdMs: 0, context: 16, stages: [] } as const;
  const names = Array.from({ length: count }, (_, at) => `s${at}`);
  await store.room(splitRoomName).commit(names.map((name) => rows.put(name, { ...row, name })));
  const changes: number[] = [];
  const deps = {
    clock,
    crypto,
    store,
    random: seededRandom(1),
    network: createMemoryNetworks({ clock, random: seededRandom(2) }).join('self' as PeerId),
    nameOf: () => 'me',
    isTaken: () => false,
    devices: { find: () => ({ peer: 'self' }) },
    own: async () => ({ source }),
    changed: () => void changes.push(clock.elapsedMs()),
    handed: () => undefined,
  } as unknown as SplitsDeps;
  return { clock, changes, made: await openSplitRoom(deps, { give: () => ({ [Symbol.dispose]: () => undefined }) }) };
}

test('There are `splitsMax` split models, and not one more', async () => {
  // Whoever may have one gets as far as its layers.
  const source = async () =>
    ({
      name: 'nano',
      get sizes(): never {
        throw new PeerAiError('NOT_FOUND', 'no layers');
      },
    }) as never;
  const make = async (before: number) => {
    const { made } = await room(before, source);
    return await made.create(splitRequestSchema.parse({ model: 'nano', over: ['self'] }), signal);
  };
  await expect(make(modelLimits.splitsMax - 1)).rejects.toThrow(code('NOT_FOUND'));
  await expect(make(modelLimits.splitsMax)).rejects.toThrow(code('LIMIT_REACHED'));
});

describe('A split model', () => {
  const ask = (model: LanguageModel | undefined) => {
    const prompt = { messages: [{ role: 'user' as const, text: 'hello' }] };
    const parts = (model ?? expect.fail('it is not there')).generate(prompt, { maxTokens: 1 }, signal);
    return parts[Symbol.asyncIterator]().next();
  };

  test('gives `splitAnswersMax` answers at once, and another when one is over', async () => {
    const opening = Promise.withResolvers<never>();
    const { made } = await room(1, () => opening.promise);
    const [model] = made.models();
    const running = Array.from({ length: modelLimits.splitAnswersMax }, () =>
      ask(model).catch((error: unknown) => error),
    );
    await expect(ask(model)).rejects.toThrow(code('LIMIT_REACHED'));
    opening.reject(new PeerAiError('NOT_FOUND', 'its weights are gone'));
    for (const one of await Promise.all(running)) expect(one).toMatchObject({ code: 'NOT_FOUND' });
    await expect(ask(model)).rejects.toThrow(code('NOT_FOUND'));
  });

  test('rests `splitRestMs` after its last answer, not a millisecond before', async () => {
    const { clock, changes, made } = await room(1, () => Promise.reject(new PeerAiError('NOT_FOUND', 'gone')));
    const [model] = made.models();
    await expect(ask(model)).rejects.toThrow(code('NOT_FOUND'));
    await clock.advance(modelLimits.splitRestMs - 1);
    expect(changes).toEqual([]);
    await expect(ask(model)).rejects.toThrow(code('NOT_FOUND'));
    await clock.advance(modelLimits.splitRestMs - 1);
    expect(changes).toEqual([]);
    await clock.advance(1);
    expect(changes).toEqual([2 * modelLimits.splitRestMs - 1]);
  });
});

test.each(['over', 'spares'])('A wish for one names `splitStagesMax` devices as %s, and not one more', (name) => {
  const takes = (count: number) =>
    splitRequestSchema.safeParse({ model: 'nano', over: ['self'], [name]: Array.from({ length: count }, () => 'a') })
      .success;
  expect([takes(modelLimits.splitStagesMax), takes(modelLimits.splitStagesMax + 1)]).toEqual([true, false]);
});
