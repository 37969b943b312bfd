import {
  callMethod,
  type PeerId,
  type Program,
  serveMethod,
  type Tensors,
  toBase64Url,
  type Usage,
} from '@peerai/core-protocol';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryShelf,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { nobleCrypto, PeerAiError } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { leaseRequestSchema, offerRequestSchema } from '../market/market.schema.ts';
import type { Device } from '../pairing/devices.ts';
import type { Permission } from '../pairing/permissions.ts';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { createModelRuns, type ModelRunsDeps } from './asked-runs.ts';
import { numbersGiven } from './counted-run.ts';
import type { ModelRunner } from './imported/runner.ts';
import { modelLimits } from './limits.ts';
import { inferMethod } from './run-wire.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
const code = (expected: string) => expect.objectContaining({ code: expected });
const inputs = { x: [[1, 2, 3]] };

/** A model of three numbers in, and each of them twice out. */
const modelRunner: ModelRunner = {
  read: async () => ({
    producer: 'test',
    nodes: 1,
    operators: ['Concat'],
    inputs: [{ name: 'x', type: 'float32', shape: ['rows', 3] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['rows', 6] }],
  }),
  async load() {
    const program: Partial<Program> = {
      async run({ x }: Tensors): Promise<Tensors> {
        const numbers = [...((x?.data ?? []) as Float32Array)];
        return { y: { type: 'float32', shape: [1, 6], data: Float32Array.from([...numbers, ...numbers]) } };
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
    return program as Program;
  },
  loadEmbedder: async () => Promise.reject(new PeerAiError('MODEL_REFUSED', 'it makes no vectors')),
  loadWriter: async () => Promise.reject(new PeerAiError('MODEL_REFUSED', 'it does not write')),
};

async function two(rights: readonly Permission[]) {
  const world = testWorld();
  const desk = await world.peer('desk', { shelf: new MemoryShelf(), modelRunner });
  const laptop = await world.peer('laptop');
  started.push(desk, laptop);
  await pair(world, desk, laptop, ['chat', ...rights]);
  async function* file(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1);
  }
  await desk.peer.imported.add('twice', file(), live());
  const run = () => world.clock.until(laptop.peer.modelRuns.run('twice@desk', inputs, live()));
  const offered = async (at?: string) => {
    const { models } = await world.clock.until(laptop.peer.modelRuns.offered(at, live()));
    return models.map(({ name, peerName, outputs }) => [name, peerName, ...outputs.map((one) => one.name)]);
  };
  return { world, desk, laptop, run, offered };
}
const receipts = async ({ peer }: TestPeer) =>
  (await peer.books.entries({})).entries.filter(({ kind }) => kind === 'usage-receipt');

describe('a run of a model file on another device', () => {
  test('is counted a token a number, and its receipt stands in both logs with both signatures', async () => {
    const { world, desk, laptop, run } = await two([]);
    await desk.peer.models.expose('twice', true);
    expect(await run()).toMatchObject({ usage: { promptTokens: 3, answerTokens: 6, signed: true } });
    await until(world.clock, async () => (await receipts(desk)).length > 0);
    for (const side of [desk, laptop]) {
      const [entry, ...more] = await receipts(side);
      expect(entry).toMatchObject({ receipt: { model: 'twice', promptTokens: 3, answerTokens: 6 } });
      expect(more).toEqual([]);
    }
    // What its owner runs here is nobody's debt.
    expect(await desk.peer.modelRuns.run('twice', inputs, live())).not.toHaveProperty('usage');
    expect(await receipts(desk)).toHaveLength(1);
  });

  test('is paid out of a lease where one was made, by who may not chat too, and ends with it', async () => {
    const { world, desk, laptop, run, offered } = await two(['borrow']);
    await desk.peer.peers.change('laptop', { allow: ['borrow'] });
    expect(await offered()).toEqual([]);
    await desk.peer.market.offer(offerRequestSchema.parse({ model: 'twice', credits: '2' }));
    const wish = leaseRequestSchema.parse({ peer: 'desk', model: 'twice', tokens: 17 });
    await world.clock.until(laptop.peer.market.lease(wish, live()));
    expect(await offered('desk')).toEqual([['twice', 'desk', 'y']]);
    expect(await run()).toMatchObject({ usage: { signed: true } });
    const used = async ({ peer }: TestPeer) =>
      (await peer.market.view()).leases.map(({ tokensUsed, dueMicro }) => [tokensUsed, dueMicro]);
    await until(world.clock, async () => (await used(desk))[0]?.[0] === 9);
    expect([await used(desk), await used(laptop)]).toEqual([[[9, '18000']], [[9, '18000']]]);
    // Eight are left, and nine numbers do not fit; nothing is counted of them.
    await expect(run()).rejects.toThrow(code('BUDGET_SPENT'));
    expect(await used(desk)).toEqual([[9, '18000']]);
  });

  test('is paid by the last token of a lease too', async () => {
    const { world, desk, laptop, run } = await two(['borrow']);
    await desk.peer.market.offer(offerRequestSchema.parse({ model: 'twice', credits: '2' }));
    const wish = leaseRequestSchema.parse({ peer: 'desk', model: 'twice', tokens: 9 });
    await world.clock.until(laptop.peer.market.lease(wish, live()));
    expect(await run()).toMatchObject({ usage: { signed: true } });
  });

  test('is told of to devices that may have it, and of nothing else', async () => {
    const { desk, offered } = await two([]);
    expect(await offered()).toEqual([]);
    await desk.peer.models.expose('twice', true);
    expect(await offered()).toEqual([['twice', 'desk', 'y']]);
    expect(await offered('desk')).toEqual([['twice', 'desk', 'y']]);
    await expect(offered('nobody')).rejects.toThrow(code('DEVICE_UNKNOWN'));
    await desk.peer.peers.change('laptop', { allow: [] });
    expect(await offered()).toEqual([]);
  });
});

test('numbers are counted as lists, or as data beside a shape; what is no number counts as one', () => {
  expect(numbersGiven({ x: [[1, 2], [3]], y: { shape: [2], data: ['NaN', 4] }, z: 'none' })).toBe(6);
});

test('a request id has as many characters as are said, and not one more', async () => {
  const { network, clock, self } = alone();
  serveMethod(
    network.join(self, { isGranted: () => true }),
    inferMethod,
    async () => answer(toBase64Url(new Uint8Array(1))),
    { clock },
  );
  const asker = network.join('12D3KooWAsker' as PeerId);
  const asked = (chars: number) =>
    clock.until(
      callMethod(
        { network: asker, clock },
        self,
        inferMethod,
        { requestId: 'r'.repeat(chars), model: 'm', inputs },
        {
          signal: live(),
        },
      ),
    );
  expect(await asked(modelLimits.runIdCharsMax)).toMatchObject({ model: 'm' });
  await expect(asked(modelLimits.runIdCharsMax + 1)).rejects.toThrow(code('INVALID_FORMAT'));
  await expect(asked(0)).rejects.toThrow(code('INVALID_FORMAT'));
});

const answer = (receipt: string) => ({
  v: 1 as const,
  model: 'm',
  outputs: { y: { type: 'float32' as const, shape: [2], data: [5, 6] } },
  tookMs: 1,
  receipt,
});
const alone = () => {
  const clock = new ManualClock();
  return { clock, network: createMemoryNetworks({ clock, random: seededRandom(1) }), self: '12D3KooWDesk' as PeerId };
};

test('a peer signs what it counted itself; a receipt of something else is not signed, and is held against who wrote it', async () => {
  const { network, clock, self } = alone();
  serveMethod(
    network.join(self, { isGranted: () => true }),
    inferMethod,
    async () => answer(toBase64Url(Uint8Array.of(7))),
    { clock },
  );
  const seen: (Usage | undefined)[] = [];
  const wrong: unknown[] = [];
  const device: Partial<Device> = { peer: self, name: 'desk', lease: '00', addresses: [] };
  const deps: Partial<{ [Name in keyof ModelRunsDeps]: unknown }> = {
    network: network.join('12D3KooWAsker' as PeerId),
    clock,
    crypto: nobleCrypto,
    random: seededRandom(2),
    logger: silentLogger,
    devices: { find: () => device },
    stopping: live(),
    signing: {
      asked: async () => undefined,
      async sign(_: Uint8Array, { usage }: { readonly usage?: Usage }) {
        seen.push(usage);
        throw new PeerAiError('RECEIPT_WRONG', 'it says more');
      },
    },
    receiptWrong: (peer: PeerId, error: unknown) => wrong.push(peer, error),
  };
  const runs = createModelRuns(deps as ModelRunsDeps);
  const ran = await clock.until(runs.run('m@desk', inputs, live()));
  expect(ran).toMatchObject({
    outputs: { y: { data: [5, 6] } },
    usage: { promptTokens: 3, answerTokens: 2, signed: false },
  });
  expect(seen).toEqual([{ promptTokens: 3, answerTokens: 2 }]);
  expect(wrong).toEqual([self, code('RECEIPT_WRONG')]);
});
