import { describe, expect, it } from 'vitest';
import { keepRecent } from './recent.ts';

describe('What is kept for the next time', () => {
  it('is made once, up to the limit, and the least recently used leaves first', () => {
    const made: string[] = [];
    const upper = keepRecent(2, (name) => {
      made.push(name);
      return name.toUpperCase();
    });
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map(upper)).toEqual(['A', 'B', 'A', 'C', 'A', 'B']);
    expect(made).toEqual(['a', 'b', 'c', 'b']);
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
