import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSentences } from './sentences.ts';

describe('An answer that is read aloud', () => {
  it('waits for the end of a sentence', () => {
    expect(nextSentences('The sea is', 0, false)).toEqual({ spoken: '', upTo: 0 });
    expect(nextSentences('The sea is salty.', 0, false)).toEqual({ spoken: '', upTo: 0 });
    expect(nextSentences('The sea is salty. It', 0, false)).toEqual({ spoken: 'The sea is salty.', upTo: 17 });
  });

  it('goes on where it stopped, several sentences at once', () => {
    expect(nextSentences('One. Two! Three? Fo', 4, false)).toEqual({ spoken: 'Two! Three?', upTo: 16 });
  });

  it('keeps numbers whole', () => {
    expect(nextSentences('About 3.5 metres', 0, false).spoken).toBe('');
  });

  it('hands over the rest at the end', () => {
    expect(nextSentences('One. Two', 4, true)).toEqual({ spoken: 'Two', upTo: 8 });
  });

  it('says every word once, whatever the pieces', () => {
    const text = fc.array(fc.constantFrom('a', 'bc', '. ', '! ', ' ', '? ', '3.5 '), { maxLength: 40 });
    fc.assert(
      fc.property(text, (pieces) => {
        let upTo = 0;
        let said = '';
        pieces.forEach((_, i) => {
          const next = nextSentences(pieces.slice(0, i + 1).join(''), upTo, i === pieces.length - 1);
          said += next.spoken;
          ({ upTo } = next);
        });
        expect(said.replace(/\s/g, '')).toBe(pieces.join('').replace(/\s/g, ''));
      }),
    );
  });
});
