const neighbours: Readonly<Record<string, string>> = {
  a: 'qsz',
  b: 'vgn',
  c: 'xdv',
  d: 'sfe',
  e: 'wrd',
  f: 'dgr',
  g: 'fht',
  h: 'gjy',
  i: 'uok',
  j: 'hkn',
  k: 'jli',
  l: 'ko',
  m: 'nj',
  n: 'bm',
  o: 'ip',
  p: 'ol',
  q: 'wa',
  r: 'et',
  s: 'ad',
  t: 'ry',
  u: 'yi',
  v: 'cb',
  w: 'qe',
  x: 'zc',
  y: 'tu',
  z: 'xa',
};

/** Letters a word needs before a slip of the finger still leaves it readable. */
const wordLettersMin = 4;

/** Characters from which on a question has two typos. */
const secondTypoFrom = 40;

/** The text as somebody in a hurry types it: one typo, two in a longer one. The same in training and in judging. */
export function misspelled(text: string, random: () => number): string {
  return withTypos(text, text.length < secondTypoFrom ? 1 : 2, random);
}

/**
 * The text with up to `count` slips of the finger: letters exchanged, dropped, doubled, or hit beside (a US keyboard). Words under four letters
 * stay, and so does the first letter of each word: 1 to 7 % of real errors are there (Kukich, ACM Computing Surveys 24(4), 1992).
 */
export function withTypos(text: string, count: number, random: () => number): string {
  const words = text.split(' ');
  const long = words.map((word, index) => (word.length >= wordLettersMin ? index : -1)).filter((index) => index >= 0);
  for (let slip = 0; slip < count && long.length > 0; slip += 1) {
    const [chosen] = long.splice(Math.floor(random() * long.length), 1);
    words[chosen as number] = misspell(words[chosen as number] as string, random);
  }
  return words.join(' ');
}

function misspell(word: string, random: () => number): string {
  const place = 1 + Math.floor(random() * (word.length - 2));
  const [before, letter, after] = [word.slice(0, place), word.charAt(place), word.slice(place + 1)];
  const kind = Math.floor(random() * 4);
  if (kind === 0) return before + after.charAt(0) + letter + after.slice(1);
  if (kind === 1) return before + after;
  if (kind === 2) return before + letter + letter + after;
  const near = neighbours[letter] ?? letter;
  return before + near.charAt(Math.floor(random() * near.length)) + after;
}
