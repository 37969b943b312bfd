import { expect, test } from 'vitest';
import type { z } from 'zod';
import { limits } from '../limits.ts';
import { trainingDesk } from '../testing/training-desk.ts';
import { findData } from './data-sets.ts';
import { languageTask } from './language-task.ts';
import { linkMethod } from './link-protocol.ts';
import { imageTask } from './image-task.ts';
import { describeColumns, labelsOf, readTable, told } from './table.ts';
import { tableTask } from './table-task.ts';
import { offersMethod } from './training-protocol.ts';
import {
  trainingJoinSchema,
  trainingPlanSchema,
  trainingRequestSchema,
  trainingTermsSchema,
} from './training.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const list = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const names = (count: number) => list(count, (at) => `n${at}`);

const sizes = { vocabulary: 64, width: 8, layers: 1, heads: 1, hidden: 8, context: 8 };
const common = { v: 1, learningRate: 0.1, seed: 1 } as const;
const [one, two] = [names(1), names(2)];
const mlp = {
  ...common,
  model: 'mlp',
  features: one,
  label: 'l',
  classes: two,
  hidden: [1],
  means: [0],
  deviations: [1],
};
const conv = { ...common, model: 'conv', label: 'l', classes: two, side: 8, channels: 1, filters: [1] };
const adapter = (more: object, named = 'b') => ({
  ...common,
  model: 'adapter',
  base: { name: named, sha256: '0'.repeat(64), sizes: { ...sizes, ...more } },
  rank: 1,
  alpha: 1,
});
const terms = {
  rounds: 1,
  localSteps: 1,
  kind: 'open',
  compression: 'int8',
  outer: 'local-sgd',
  aggregation: 'trimmed-mean',
  liars: 0,
  membersMin: 1,
  roundMs: 60_000,
  elementMax: null,
};
const wish = { name: 'a', data: 'd', model: { kind: 'mlp', label: 'l' } };

/** What others say, then what the owner asks for. */
const bounded: readonly [name: keyof typeof limits, schema: z.ZodType, at: (value: number) => object][] = [
  ['trainingNameCharsMax', trainingPlanSchema, (value) => ({ ...mlp, label: 'x'.repeat(value) })],
  ['trainingNameCharsMax', trainingPlanSchema, (value) => ({ ...mlp, features: ['x'.repeat(value)] })],
  ['trainingNameCharsMax', trainingPlanSchema, (value) => ({ ...mlp, classes: ['y', 'x'.repeat(value)] })],
  ['trainingNameCharsMax', trainingPlanSchema, (value) => adapter({}, 'x'.repeat(value))],
  ['trainingColumnsMax', trainingPlanSchema, (value) => ({ ...mlp, features: names(value) })],
  ['trainingColumnsMax', trainingPlanSchema, (value) => ({ ...mlp, means: list(value, () => 0) })],
  ['trainingColumnsMax', trainingPlanSchema, (value) => ({ ...mlp, deviations: list(value, () => 1) })],
  ['trainingClassesMax', trainingPlanSchema, (value) => ({ ...mlp, classes: names(value) })],
  ['trainingClassesMax', trainingPlanSchema, (value) => ({ ...conv, classes: names(value) })],
  ['trainingImageSideMax', trainingPlanSchema, (side) => ({ ...conv, side })],
  ['trainingFiltersMax', trainingPlanSchema, (value) => ({ ...conv, filters: [value] })],
  ['trainingStagesMax', trainingPlanSchema, (value) => ({ ...conv, filters: list(value, () => 1) })],
  ['trainingBaseVocabularyMax', trainingPlanSchema, (vocabulary) => adapter({ vocabulary })],
  ['trainingWidthMax', trainingPlanSchema, (width) => adapter({ width })],
  ['trainingWidthMax', trainingPlanSchema, (heads) => adapter({ heads })],
  ['trainingBaseLayersMax', trainingPlanSchema, (layers) => adapter({ layers })],
  ['trainingBaseHiddenMax', trainingPlanSchema, (hidden) => adapter({ hidden })],
  ['trainingBaseContextMax', trainingPlanSchema, (context) => adapter({ context })],
  ['trainingRankMax', trainingPlanSchema, (rank) => ({ ...adapter({}), rank })],
  ['trainingAlphaMax', trainingPlanSchema, (alpha) => ({ ...adapter({}), alpha })],
  ['trainingRoundsMax', trainingTermsSchema, (rounds) => ({ ...terms, rounds })],
  ['trainingLocalStepsMax', trainingTermsSchema, (localSteps) => ({ ...terms, localSteps })],
  ['trainingLiarsMax', trainingTermsSchema, (liars) => ({ ...terms, liars })],
  ['trainingNameCharsMax', trainingRequestSchema, (value) => ({ ...wish, name: 'x'.repeat(value) })],
  ['trainingInvitedMax', trainingRequestSchema, (value) => ({ ...wish, private: { invite: names(value) } })],
  ['trainingEpsilonMax', trainingRequestSchema, (epsilon) => ({ ...wish, privacy: { epsilon } })],
  ['trainingThreadsMax', trainingRequestSchema, (threads) => ({ ...wish, threads })],
  ['trainingThreadsMax', trainingJoinSchema, (threads) => ({ data: 'd', accept: true, threads })],
];
test.each(bounded)('%s holds (%#)', (name, schema, at) => {
  const taken = (value: number) => schema.safeParse(at(value)).success;
  expect([taken(limits[name]), taken(limits[name] + 1)]).toEqual([true, false]);
});

const tableOf = (labels: readonly string[], heading = 'x,label') =>
  `${heading}\n${labels.map((label, at) => `${at},${label}`).join('\n')}\n`;
const rowsOf = (count: number, kinds = 2) => tableOf(list(count, (at) => `k${at % kinds}`));

test('labels are `trainingClassesMax` different ones, and a column is called by `trainingNameCharsMax` characters', () => {
  const most = limits.trainingClassesMax;
  const labels = (kinds: number) => labelsOf(readTable(rowsOf(kinds, kinds)), 'label');
  expect(labels(most)).toHaveLength(most);
  expect(() => labels(most + 1)).toThrow(code('DATA_INVALID'));
  const valuesOf = (kinds: number) => describeColumns(readTable(rowsOf(kinds, kinds)))[1]?.values?.length;
  expect([valuesOf(most), valuesOf(most + 1)]).toEqual([most, undefined]);
  const named = (chars: number) =>
    readTable(
      tableOf(
        list(10, () => 'a'),
        `x,${'l'.repeat(chars)}`,
      ),
    ).columns[1]?.length;
  expect(named(limits.trainingNameCharsMax)).toBe(limits.trainingNameCharsMax);
  expect(() => named(limits.trainingNameCharsMax + 1)).toThrow(code('DATA_INVALID'));
});

test('a text has `trainingTextBytesMin` bytes, and at most `trainingHeldOutMax` rows are kept apart', () => {
  const text = (bytes: number) => languageTask({ ...common, model: 'language', size: 'small' }, 'a'.repeat(bytes));
  expect(() => text(limits.trainingTextBytesMin)).not.toThrow();
  expect(() => text(limits.trainingTextBytesMin - 1)).toThrow(code('DATA_TOO_SMALL'));
  const plan = trainingPlanSchema.parse({ ...mlp, features: ['x'], label: 'label', classes: ['k0', 'k1'] });
  const heldOf = (rows: number) => plan.model === 'mlp' && tableTask(plan, rowsOf(rows)).heldOut;
  const most = limits.trainingHeldOutMax;
  // One row in five, up to so many.
  expect([heldOf(5 * most - 5), heldOf(5 * most), heldOf(5 * most + 5)]).toEqual([most - 1, most, most]);
});

test('at most `trainingHeldImagesMax` images are kept apart, one in five up to there', () => {
  const plan = trainingPlanSchema.parse({ ...conv, label: 'label', classes: ['k0', 'k1'] });
  const pixels = names(64);
  const black = pixels.map(() => 0).join(',');
  const heldOf = (count: number) => {
    const rows = list(count, (at) => `k${at % 2},${black}`);
    return plan.model === 'conv' && imageTask(plan, ['label', ...pixels].join(',') + `\n${rows.join('\n')}\n`).heldOut;
  };
  const most = limits.trainingHeldImagesMax;
  expect([heldOf(5 * most - 5), heldOf(5 * most), heldOf(5 * most + 5)]).toEqual([most - 1, most, most]);
});

test('of names an error tells the first `namesToldMax`, and how many more there are', () => {
  const most = limits.namesToldMax;
  expect(told(names(most))).toBe(names(most).join(', '));
  expect(told(names(most + 1))).toBe(`${names(most).join(', ')} and 1 more`);
});

test('a data set has `trainingDataBytesMax` bytes, of which no more is read than that', async () => {
  const { read, shelf } = await trainingDesk();
  const whole = new Uint8Array(limits.trainingDataBytesMax).fill(97);
  expect((await read('a.txt', whole)).bytes).toBe(limits.trainingDataBytesMax);
  await expect(read('a.txt', whole, Uint8Array.of(97))).rejects.toThrow(code('LIMIT_EXCEEDED'));
  expect(shelf.files.size).toBe(1);
});

test('`trainingDataKept` data sets that no run uses are kept: with one more the oldest goes, from the disk too', async () => {
  const used = new Set<string>();
  const { book, shelf, read } = await trainingDesk((id) => used.has(id));
  const ids: string[] = [];
  const readOne = async () => ids.push((await read('a.txt', new TextEncoder().encode(`text ${ids.length}`))).id);
  await readOne();
  used.add(ids[0] ?? '');
  for (let count = 0; count < limits.trainingDataKept; count += 1) await readOne();
  expect(book.data().map(({ id }) => id)).toEqual(ids);
  await readOne();
  expect(book.data().map(({ id }) => id)).toEqual(ids.filter((_, at) => at !== 1));
  expect(() => findData(book, ids[1] ?? '')).toThrow(code('DATA_UNKNOWN'));
  expect(shelf.files.size).toBe(ids.length - 1);
});

test('an answer has `trainingOffersMax` offers, and the largest of each fits its message', () => {
  const terms64 = new Uint8Array(8_192);
  const offer = { terms: terms64, plan: new Uint8Array(limits.trainingPlanBytesMax), round: 2_000, members: 64 };
  const answer = (count: number) => offersMethod.response.encode({ offers: list(count, () => offer) });
  const full = answer(limits.trainingOffersMax);
  expect(offersMethod.response.decode(full).offers).toHaveLength(limits.trainingOffersMax);
  expect(() => offersMethod.response.decode(answer(limits.trainingOffersMax + 1))).toThrow(code('INVALID_FORMAT'));
  expect(full.length).toBeLessThan(offersMethod.protocol.messageBytesMax);
  expect(offersMethod.protocol.messageBytesMax).toBe(limits.trainingOffersBytesMax);
  const shard = { name: '\u4e00'.repeat(limits.trainingNameCharsMax), sha256: new Uint8Array(32), bytes: 2 ** 50 };
  const linked = { ...offer, terms: new Uint8Array(2_048), expiresMs: 2 ** 50, shard };
  expect(linkMethod.response.encode(linked).length).toBeLessThan(linkMethod.protocol.messageBytesMax);
  expect(linkMethod.protocol.messageBytesMax).toBe(limits.trainingLinkBytesMax);
});
