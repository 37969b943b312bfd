import { MemoryShelf, MemoryStore, ManualClock } from '@peerai/core-protocol/testing';
import { nobleCrypto, toHex } from '@peerai/core-protocol';
import { createNano } from '@peerai/nn-engine/nano';
import { readNanoFile } from '@peerai/nn-engine/node';
import { describe, expect, test } from 'vitest';
import { modelLimits } from '../limits.ts';
import type { Permission } from '../../pairing/permissions.ts';
import type { TestPeer, TestWorld } from '../../testing/peers.ts';
import { untilSlowly, whileTimeCreeps } from '../../testing/real-time.ts';
import { live, startAsking, textOf } from '../../testing/steps.ts';
import { trainingTown } from '../../testing/training-town.ts';
import { openKeptWeights } from './kept-weights.ts';
import { stagesOf, weightsOf } from './open-split.ts';
import { splitRequestSchema, type SplitRequest } from './split.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const town = (count: number, allow: readonly Permission[] = ['chat', 'train']) =>
  trainingTown(count, allow, () => ({ nanoFile: readNanoFile }));

const split = (world: TestWorld, { peer }: TestPeer, wish: Partial<SplitRequest>) =>
  whileTimeCreeps(
    world.clock,
    peer.splits.create(splitRequestSchema.parse({ model: 'nano', over: ['peer-1', 'peer-2'], ...wish }), live()),
  );
async function asked(world: TestWorld, host: TestPeer, text: string) {
  const running = startAsking(host, 'nano:split', text, 3);
  await untilSlowly(world.clock, () => running.ended());
  return running.events;
}
const holders = async ({ peer }: TestPeer) =>
  (await peer.splits.list()).splits[0]?.stages.map(({ holder }) => holder?.name);

const question = 'How do I share a model?';
const whole = async (): Promise<string> => {
  const nano = createNano({ file: readNanoFile, clock: new ManualClock() });
  let text = '';
  const prompt = { messages: [{ role: 'user' as const, text: question }] };
  const clockless = nano.generate(prompt, { maxTokens: 3 }, live());
  for await (const part of clockless) if (part.type === 'text-delta') text += part.text;
  return text;
};

describe('a model in stages at two devices', { timeout: 60_000 }, () => {
  test('answers as the whole one; a lost device’s place is taken, its weights are fetched, and the answer is the same', async () => {
    const { world, at, shelves } = await town(3);
    const host = at(0);
    const told: (readonly [string, number, number])[] = [];
    const listening = (async () => {
      for await (const { event } of host.peer.events.subscribe(live()))
        if (event.type === 'split-progress') told.push([event.name, event.moved, event.bytes]);
    })();
    listening.catch(() => undefined);
    const made = await split(world, host, { spares: ['self'] });
    const bytes = 4 * made.stages.reduce((sum, { parameters }) => sum + parameters, 0);
    expect(told.map(([, moved]) => moved)).toEqual(told.map(([, moved]) => moved).toSorted((a, b) => a - b));
    expect(told.length).toBeGreaterThan(1);
    expect(told.length).toBeLessThanOrEqual(101);
    expect(told.at(-1)).toEqual(['nano:split', bytes, bytes]);
    expect(made).toMatchObject({ name: 'nano:split', model: 'nano', state: 'open', answers: 0 });
    expect(made.stages.map(({ from, to, holder }) => [from, to, holder?.name])).toEqual([
      [0, 2, 'peer-1'],
      [2, 3, 'peer-2'],
    ]);
    const stored = shelves
      .slice(1)
      .map((shelf) => [...shelf.files.keys()].filter((name) => name.startsWith('stages/')));
    expect(stored).toEqual(made.stages.map(({ sha256 }) => [`stages/${sha256}`]));
    await untilSlowly(world.clock, async () =>
      (await host.peer.models.list()).models.some(({ engine }) => engine === 'split'),
    );
    const expected = await whole();
    expect(textOf(await asked(world, host, question))).toBe(expected);

    world.kill(at(2));
    expect(textOf(await asked(world, host, question))).toBe(expected);
    expect(await holders(host)).toEqual(['peer-1', 'peer-0']);
    const [view] = (await host.peer.splits.list()).splits;
    expect(view).toMatchObject({ answers: 2, stages: [{ lost: null }, { lost: { name: 'peer-2' } }] });

    await host.peer.splits.remove('nano:split');
    expect(await host.peer.splits.list()).toEqual({ v: 1, splits: [] });
    await expect(host.peer.splits.remove('nano:split')).rejects.toThrow(code('MODEL_UNKNOWN'));
  });

  test('without a spare names the stage that is lost; who lost the right to train loses the stage', async () => {
    const { world, at, again } = await town(3);
    await split(world, at(0), { spares: [] });
    await expect(split(world, at(0), {})).rejects.toThrow(code('MODEL_EXISTS'));
    await whileTimeCreeps(world.clock, at(2).peer.peers.change(at(0).identity.peer, { allow: ['chat'] }));
    const events = await asked(world, at(0), question);
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'STAGE_LOST' });
    expect(JSON.stringify(events.at(-1))).toContain('stage 2 of 2 of nano:split');
    // It is still there after a restart, and rests until somebody asks.
    const back = await again(0);
    expect((await back.peer.splits.list()).splits).toMatchObject([{ name: 'nano:split', state: 'resting' }]);
  });

  test('is refused before anything is handed out, where it cannot be', async () => {
    const { world, at } = await town(2, ['chat']);
    const tries: [Partial<SplitRequest>, string][] = [
      [{ over: ['peer-1', 'self'], spares: [] }, 'STAGE_LOST'],
      [{ over: ['self', 'self'] }, 'INVALID_OPTION'],
      [{ over: ['nobody'] }, 'DEVICE_UNKNOWN'],
      [{ model: 'echo', over: ['self'] }, 'UNSUPPORTED'],
      [{ model: 'nobody', over: ['self'] }, 'MODEL_UNKNOWN'],
      [{ name: 'a@b', over: ['self'] }, 'INVALID_FORMAT'],
    ];
    for (const [wish, expected] of tries) await expect(split(world, at(0), wish)).rejects.toThrow(code(expected));
    expect((await at(0).peer.splits.list()).splits).toEqual([]);
  });
});

test('weights are given to those who hold their stage or may take it over, and to nobody else', async () => {
  const { at } = await town(2);
  const [host, other] = [at(0).identity.peer, at(1).identity.peer];
  const source = await (await at(0).peer.own.room()).source('nano', live());
  const cut = stagesOf(nobleCrypto, source, 2);
  const stages = cut.map(({ stage: { from, to, layout }, sha256 }, index) => ({
    from,
    to,
    parameters: layout.size,
    sha256: toHex(sha256),
    places: index === 0 ? [host, other] : [host],
  }));
  const given = weightsOf(stages, cut);
  const lengths = await Promise.all(cut.map(({ sha256 }) => given.length(sha256, other)));
  expect(lengths).toEqual([4 * (stages[0]?.parameters ?? 0), undefined]);
  expect(await given.length(new Uint8Array(32), other)).toBeUndefined();
  expect(await given.read(cut[0]?.sha256 ?? new Uint8Array(), 4, 8)).toEqual(cut[0]?.bytes.slice(4, 12));
});

describe('weights that others gave', () => {
  const open = async (store = new MemoryStore(), shelf = new MemoryShelf()) => {
    const clock = new ManualClock();
    return { kept: await openKeptWeights({ store, shelf, clock }), store, shelf, clock };
  };
  const hashed = (byte: number) => {
    const bytes = new Uint8Array(8).fill(byte);
    return { bytes, sha256: nobleCrypto.sha256(bytes) };
  };

  test('stay over restarts, the oldest goes for the one above the limit, and what was changed is not given', async () => {
    const { kept, store, shelf, clock } = await open();
    for (let count = 0; count < modelLimits.stagesKeptMax; count += 1) {
      const { sha256, bytes } = hashed(count);
      await kept.put(sha256, bytes);
      await clock.advance(1);
    }
    expect(shelf.files.size).toBe(modelLimits.stagesKeptMax);
    // Used again, so that the second is the oldest.
    expect(await kept.get(hashed(0).sha256)).toEqual(hashed(0).bytes);
    await kept.put(hashed(200).sha256, hashed(200).bytes);
    expect(shelf.files.size).toBe(modelLimits.stagesKeptMax);
    expect(await kept.get(hashed(1).sha256)).toBeUndefined();
    const again = await open(store.reopen(), shelf);
    expect(await again.kept.get(hashed(0).sha256)).toEqual(hashed(0).bytes);
    const [name = ''] = [...shelf.files.keys()];
    await shelf.write(name, 0, Uint8Array.of(255));
    const ids = Array.from({ length: modelLimits.stagesKeptMax }, (_, byte) => hashed(byte).sha256);
    const found = await Promise.all(ids.map(async (sha256) => (await again.kept.get(sha256)) !== undefined));
    expect(found.filter(Boolean).length).toBe(modelLimits.stagesKeptMax - 2);
    expect(shelf.files.size).toBe(modelLimits.stagesKeptMax - 1);
  });

  test('fit or are refused before they are fetched', async () => {
    const { kept } = await open();
    kept.admit(modelLimits.stageKeptBytesMax);
    expect(() => kept.admit(modelLimits.stageKeptBytesMax + 1)).toThrow(code('LIMIT_EXCEEDED'));
  });
});
