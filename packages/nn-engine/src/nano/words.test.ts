import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { toyCorpus } from '../../test/toy.ts';
import { seededUnit } from '../train/random.ts';
import { embeddingDimensions, lexicalHash } from './embedding.ts';
import { hashText } from './hash.ts';
import { createSplit, isCombination, partsAreTrained, unrelatedPartOf } from './split.ts';
import { StopFilter } from './stop-filter.ts';
import { withTypos } from './typos.ts';

describe('the text hash', () => {
  it('is the same on every machine', () => {
    expect([hashText(''), hashText('share a model'), hashText('share a model', 1)]).toMatchInlineSnapshot(`
      [
        2872998923,
        4143878642,
        2883904157,
      ]
    `);
  });
});

describe('the split', () => {
  it('keeps about a tenth for judging and a twentieth for tuning', () => {
    const split = createSplit(toyCorpus);
    const parts = Array.from({ length: 4000 }, (_, index) => split(`phrase number ${index}`));
    expect(parts.filter((part) => part === 'test').length / 4000).toBeCloseTo(0.1, 1);
    expect(parts.filter((part) => part === 'tune').length / 4000).toBeCloseTo(0.05, 1);
    expect(split('phrase number 1')).toBe(createSplit(toyCorpus)('phrase number 1'));
  });

  it('keeps back combinations, never a phrase that stands alone', () => {
    const words = Array.from({ length: 60 }, (_, index) => `word${index}`);
    const pattern = `{${words.join('|')}}`;
    const split = createSplit({
      ...toyCorpus,
      intents: [{ name: 'a', question: 'A?', answer: 'A.', patterns: [pattern] }],
    });
    expect(isCombination(pattern)).toBe(false);
    expect(isCombination('{a|b} {c|d}')).toBe(true);
    expect(words.every((word) => split(word) === 'train')).toBe(true);
    expect(words.some((word) => createSplit(toyCorpus)(word) === 'test')).toBe(true);
  });

  it('knows whether each part of a phrasing is trained on elsewhere', () => {
    const only =
      (...trained: string[]) =>
      (phrase: string) =>
        trained.includes(phrase) ? 'train' : 'test';
    expect(partsAreTrained('{a|b} {c|d}', 'a c', only('a d', 'b c'))).toBe(true);
    expect(partsAreTrained('{a|b} {c|d}', 'a c', only('b c', 'b d'))).toBe(false);
    expect(partsAreTrained('{a|b} {c|d}', 'a c', only('a d', 'b d'))).toBe(false);
  });

  it('keeps about one in eight unrelated questions for tuning', () => {
    const tune = Array.from({ length: 4000 }, (_, index) => unrelatedPartOf(`question ${index}`)).filter(
      (part) => part === 'tune',
    );
    expect(tune.length / 4000).toBeCloseTo(0.125, 1);
  });
});

describe('typos', () => {
  it('touch as many words as asked, and only those of four letters or more', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const before = 'how do i share this model with you';
        const after = withTypos(before, 2, seededUnit(seed)).split(' ');
        const changed = before.split(' ').filter((word, index) => word !== after[index]);
        expect(changed.length).toBeLessThanOrEqual(2);
        expect(changed.every((word) => word.length >= 4)).toBe(true);
      }),
    );
    expect(withTypos('who are you', 3, seededUnit(1))).toBe('who are you');
    const random = seededUnit(1);
    expect(
      Array.from({ length: 50 }, () => withTypos('sharing', 1, random)).filter((word) => word !== 'sharing').length,
    ).toBeGreaterThan(40);
  });
});

describe('the lexical embedding', () => {
  it('has 384 numbers of length 1, and length 0 for nothing to read', () => {
    const row = lexicalHash('How do I share a model?');
    expect(row).toHaveLength(embeddingDimensions);
    expect(dot(row, row)).toBeCloseTo(1, 5);
    expect(dot(lexicalHash('?!'), lexicalHash('?!'))).toBe(0);
  });

  it('is nearer for shared words and spellings than for shared meaning', () => {
    const near = (left: string, right: string): number => dot(lexicalHash(left), lexicalHash(right));
    expect(near('share a model', 'sharing models')).toBeGreaterThan(near('share a model', 'stop the agent') + 0.2);
    expect(near('automobile', 'car')).toBeLessThan(0.2);
  });

  it('does not see case and punctuation', () => {
    expect(lexicalHash('Share, a MODEL!')).toEqual(lexicalHash('share a model'));
  });
});

describe('the stop filter', () => {
  it('cuts before the first stop text, however the text is cut into pieces', () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, (pieces) => {
        const filter = new StopFilter(['abc', 'cc']);
        const shown = pieces.map((piece) => filter.push(piece)).join('') + filter.end();
        const whole = pieces.join('');
        const places = ['abc', 'cc'].map((stop) => whole.indexOf(stop)).filter((place) => place >= 0);
        expect(shown).toBe(places.length === 0 ? whole : whole.slice(0, Math.min(...places)));
        expect(filter.stopped).toBe(places.length > 0);
      }),
    );
  });

  it('holds nothing back without stop texts', () => {
    expect(new StopFilter(['']).push('abc')).toBe('abc');
  });
});

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? Number.NaN), 0);
}
