import type { ArgsDef } from 'citty';

/**
 * `-0.5,1` is a number that somebody gives, no flag: such words go behind `--`, in their order, unless they are the value of the flag
 * before them. No flag begins with a digit or a point.
 */
export function negativeWordsLast(words: readonly string[], known: ArgsDef): readonly string[] {
  const end = words.indexOf('--');
  const before = end < 0 ? words : words.slice(0, end);
  const takesValue = new Set(
    Object.entries(known).flatMap(([name, { type, ...definition }]) => {
      if (type !== 'string') return [];
      const aliases = 'alias' in definition && definition.alias !== undefined ? [definition.alias].flat() : [];
      return [`--${name}`, ...aliases.map((alias) => `-${alias}`)];
    }),
  );
  const isNumber = (word: string, at: number): boolean =>
    /^-[\d.]/u.test(word) && !takesValue.has(before[at - 1] ?? '');
  const numbers = before.filter(isNumber);
  if (numbers.length === 0) return words;
  return [
    ...before.filter((word, at) => !isNumber(word, at)),
    '--',
    ...numbers,
    ...(end < 0 ? [] : words.slice(end + 1)),
  ];
}
