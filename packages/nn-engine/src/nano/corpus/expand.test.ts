import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allExpansions, countExpansions, expand, normalizePhrase, parsePattern } from './expand.ts';

const sharing = '{how do|how can} i share {a|my} model{ with a friend|}';

describe('the pattern grammar', () => {
  it('expands alternatives, an empty one making the part optional', () => {
    expect(countExpansions(sharing)).toBe(8);
    expect([...allExpansions('{how do|how can} i share{ it|}')]).toEqual([
      'how do i share it',
      'how can i share it',
      'how do i share',
      'how can i share',
    ]);
  });

  it('draws from the random source, once for each group', () => {
    const draws = [0.99, 0, 0.5];
    expect(expand(sharing, () => draws.shift() ?? Number.NaN)).toBe('how can i share a model');
    expect(draws).toEqual([]);
  });

  it('only ever draws a phrasing that the enumeration has', () => {
    const all = new Set(allExpansions(sharing));
    expect(all.size).toBe(8);
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.infiniteStream(fraction), (stream) => {
        expect(all).toContain(expand(sharing, () => stream.next().value ?? 0));
      }),
    );
  });

  it.each(['{a|b', 'a|b}', '{a|{b|c}}', 'a|b', '}a{', '{a}}'])('refuses unbalanced or nested braces: %s', (pattern) => {
    expect(() => parsePattern(pattern)).toThrow(RangeError);
  });

  it('writes phrasings in lower case without punctuation', () => {
    expect(normalizePhrase("  What's   PeerAI, please?! ")).toBe('whats peerai please');
  });
});
