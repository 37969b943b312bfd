import { createIdentity, nobleCrypto, utf8 } from '@peerai/core-protocol';
import { decodeTicket } from '@peerai/core-protocol/access';
import { seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { seededUnit } from '@peerai/nn-engine';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { live } from '../testing/steps.ts';
import {
  areDone,
  begin,
  bytesOf,
  join,
  latest,
  readIn,
  trainingTown,
  untilTrained,
  whileTimeGoes,
} from '../testing/training-town.ts';
import { createVisitor } from '../visitor/index.ts';
import { planOfImages } from './image-task.ts';
import { readImages, readImageTable, sidesIfAny, sidesOf } from './images.ts';
import { decodePlan } from './plan.ts';
import { trainingLinkRequestSchema } from './training.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const side = 8;
const headed = (pixels: number): string =>
  ['label', ...Array.from({ length: pixels }, (_, pixel) => `pixel${pixel}`)].join(',');

/** Bars that lie or stand somewhere in a dark image. */
function bars(count: number, seed: number): string {
  const random = seededUnit(seed);
  const rows = Array.from({ length: count }, () => {
    const pixels = Array.from({ length: side * side }, () => Math.floor(random() * 60));
    const isLying = random() < 0.5;
    const [x, y] = [Math.floor(random() * 5), Math.floor(random() * 5)];
    for (let place = 0; place < 4; place += 1)
      pixels[isLying ? y * side + x + place : (y + place) * side + x] = 200 + Math.floor(random() * 56);
    return [isLying ? 'lying' : 'standing', ...pixels].join(',');
  });
  return [headed(side * side), ...rows].join('\n');
}

test(
  'two devices and a tab teach a network to tell images, and hold the same file, which takes raw pixels',
  { timeout: 120_000 },
  async () => {
    const { world, peers, at } = await trainingTown(2);
    const host = at(0);
    const view = await host.peer.training.readIn('bars.csv', bytesOf(bars(160, 1)));
    expect(view).toMatchObject({ images: { side, channels: 1 }, table: { rows: 160 } });
    const model = { kind: 'conv' as const, label: 'label', filters: [4, 8] };
    const run = await begin(world, host, { name: 'bars', data: view.id, model, membersMin: 3, rounds: 4 });
    expect(run).toMatchObject({ plan: { classes: ['lying', 'standing'], side }, data: { examples: 128, heldOut: 32 } });
    const handed = await readIn(host, bars(80, 9), 'spare.csv');
    const { link } = await host.peer.training.link(
      'bars',
      trainingLinkRequestSchema.parse({ visitors: 1, data: handed }),
    );
    const ticket = decodeTicket(nobleCrypto, link.split('#')[1] ?? '');
    const identity = createIdentity(nobleCrypto, seededRandom(50).bytes(32));
    const network = world.networks.join(identity.peer, { isGranted: (peer) => peer === ticket.provider });
    const { clock } = world;
    const visitor = createVisitor(
      { identity, clock, crypto: nobleCrypto, random: seededRandom(5), logger: silentLogger, network },
      ticket,
    );
    await join(world, at(1), 'bars', bars(160, 2), 'bars.csv');
    const visit = visitor.train({
      own: undefined,
      runtime: async () => createNodeRuntime(),
      threads: 1,
      share: () => 1,
      changed: () => undefined,
      closed: () => undefined,
      signal: live(),
    });
    await untilTrained(clock, () => areDone(...peers));
    const tab = await whileTimeGoes(clock, visit);
    const [ours, theirs] = await Promise.all(peers.map(latest));
    expect([theirs?.file?.sha256, tab.hash]).toEqual([ours?.file?.sha256, ours?.hash]);
    expect(ours?.now?.accuracy).toBeGreaterThan(0.85);
    expect(tab.data).toMatchObject({ name: 'spare.csv', examples: 64, heldOut: 16 });

    const { bytes } = await at(1).peer.training.model('bars');
    await using program = await createNodeRuntime().load(bytes, { signal: live() });
    const fresh = readImages(readImageTable(bars(40, 7)), {
      label: 'label',
      classes: ['lying', 'standing'],
      side,
      channels: 1,
    });
    const images = { type: 'float32', shape: [40, 1, side, side], data: fresh.features } as const;
    const { scores } = await program.run({ images }, live());
    const right = fresh.labels.filter(
      (label, row) => Number(Number(scores?.data[2 * row]) < Number(scores?.data[2 * row + 1])) === label,
    );
    expect(right.length).toBeGreaterThan(32);
    const told = await at(1).peer.training.predict('bars', bytesOf(bars(40, 7)), live());
    expect(told).toMatchObject({ run: { name: 'bars' }, labelled: 40, right: right.length });
    expect((await host.peer.models.list()).models.map(({ name }) => name)).not.toContain('bars');
  },
);

const wish = { label: 'label', filters: [8, 16], learningRate: 0.01, seed: 1 };
const flat = (pixels: number, cell = '7'): string =>
  [
    headed(pixels),
    ...Array.from({ length: 10 }, (_, row) => [row % 2, ...Array.from({ length: pixels }, () => cell)].join(',')),
  ].join('\n');

test('a side is of 8 to 32 pixels, in grey or in colour', () => {
  const { trainingImageSideMin: least, trainingImageSideMax: most } = limits;
  expect(sidesIfAny(1 + least * least)).toEqual({ side: least, channels: 1 });
  expect(sidesIfAny(1 + 3 * most * most)).toEqual({ side: most, channels: 3 });
  expect(1 + 3 * most * most).toBe(limits.trainingImageColumnsMax);
  for (const pixels of [(least - 1) ** 2, (most + 1) ** 2, 3 * (most + 1) ** 2, 65])
    expect(() => sidesOf(1 + pixels)).toThrow(code('DATA_INVALID'));
});

test('a table of as many columns as the largest image in colour has is read, and one more is not', async () => {
  const { at } = await trainingTown(1);
  const read = (pixels: number, name = 'wide.csv') => at(0).peer.training.readIn(name, bytesOf(flat(pixels)));
  const { table, images } = await read(limits.trainingImageColumnsMax - 1);
  expect(images).toEqual({ side: 32, channels: 3 });
  expect(table?.columns.map(({ name }) => name)).toEqual(['label', 'pixel3071']);
  await expect(read(limits.trainingImageColumnsMax)).rejects.toThrow(code('LIMIT_EXCEEDED'));
  // No image, and too wide for anything else.
  await expect(read(limits.trainingColumnsMax + 1)).rejects.toThrow('unless they are the pixels of square images');
});

test.each([
  ['a pixel that is none', flat(64, '256'), 'row 1, column "pixel0": a pixel is 0 to 255'],
  ['a pixel below zero', flat(64, '-1'), 'a pixel is 0 to 255'],
  ['no square', flat(63), '63 columns beside the label are no square image'],
  ['another label', flat(64).replace('label', 'what'), 'no column "label"'],
])('images with %s are refused', (_, text, why) => {
  expect(() => planOfImages(text, wish)).toThrow(why);
});

test('images of another size than the run has, and more stages than a side halves, are refused', () => {
  const plan = planOfImages(flat(64), wish);
  expect(decodePlan(utf8(JSON.stringify(plan)))).toEqual(plan);
  expect(() => readImages(readImageTable(flat(100)), plan)).toThrow('images of 8 × 8 in grey have 64');
  expect(() => planOfImages(flat(81), wish)).toThrow(code('INVALID_OPTION'));
  for (const change of [
    { side: 10 },
    { filters: Array.from({ length: limits.trainingStagesMax + 1 }, () => 1), side: 32 },
    { filters: [limits.trainingFiltersMax + 1] },
    { channels: 2 },
    { classes: ['0', '0'] },
  ])
    expect(() => decodePlan(utf8(JSON.stringify({ ...plan, ...change })))).toThrow(code('INVALID_FORMAT'));
});
