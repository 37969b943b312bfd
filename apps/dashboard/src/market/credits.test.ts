import { expect, it } from 'vitest';
import { coins, credits, microOf, modelPrice, nodePrice, partOf, storagePrice } from './credits.ts';

it.each([
  ['0', '0'],
  ['1', '0.000001'],
  ['-1500000', '-1.5'],
  ['1234000000', '1,234'],
])('%s micro-credits are %s credits', (micro, text) => {
  expect(credits(micro)).toBe(text);
});

it.each([
  ['0', '0'],
  ['0.000001', '1'],
  ['0.25', '250000'],
  ['12', '12000000'],
])('%s credits are %s micro-credits', (text, micro) => {
  expect(microOf(text)).toBe(micro);
});

it.each([
  ['0', '0'],
  ['1', '0.000000000000000001'],
  ['1000000000000000000', '1'],
  ['10500000000000000000', '10.5'],
])('%s wei are %s of the chain’s coin', (wei, text) => {
  expect(coins(wei)).toBe(text);
});

it('a part of the limit is drawn to either side, and never past it', () => {
  expect([partOf('50', '100'), partOf('-25', '100'), partOf('300', '100'), partOf('-300', '0')]).toEqual([
    0.5, -0.25, 1, -1,
  ]);
});

it('room is priced by MiB and hour, and rounded up', () => {
  expect(storagePrice('1000000', { bytes: 2_097_152, minutes: 90 })).toBe('3000000');
  expect(storagePrice('1', { bytes: 1, minutes: 1 })).toBe('1');
});

it('nodes are priced by the hour, and rounded up', () => {
  expect(nodePrice('500000', { nodes: 8, minutes: 10 })).toBe('666667');
  expect(nodePrice('1', { nodes: 1, minutes: 1 })).toBe('1');
});

it.each([
  ['500000', 20_000, '10000000'],
  ['1', 1_001, '2'],
  ['0', 5, '0'],
])('a model at %s micro-credits for 1,000 tokens locks, for %i tokens, %s', (unit, tokens, price) => {
  expect(modelPrice(unit, tokens)).toBe(price);
});
