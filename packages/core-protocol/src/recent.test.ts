import { describe, expect, it } from 'vitest';
import { keepRecent } from './recent.ts';

describe('What is kept for the next time', () => {
  it('is made once, up to the limit, and what was asked for lately leaves last', () => {
    const made: string[] = [];
    const upper = keepRecent(2, (name) => {
      made.push(name);
      return name.toUpperCase();
    });
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map(upper)).toEqual(['A', 'B', 'A', 'C', 'A', 'B']);
    expect(made).toEqual(['a', 'b', 'c', 'b']);
  });

  it('is never more than the limit', () => {
    const made: string[] = [];
    const same = keepRecent(4, (name) => {
      made.push(name);
      return name;
    });
    const names = ['a', 'b', 'c', 'd', 'e'];
    names.forEach(same);
    made.length = 0;
    names.toReversed().forEach(same);
    expect(made).toEqual(['b', 'a']);
  });

  it('is not what could not be made', () => {
    let turn = 0;
    const third = keepRecent(2, (name) => {
      turn += 1;
      if (turn < 3) throw new RangeError(name);
      return name;
    });
    expect(() => third('x')).toThrow(RangeError);
    expect(() => third('x')).toThrow(RangeError);
    expect(third('x')).toBe('x');
  });
});
