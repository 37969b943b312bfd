/**
 * The pattern grammar of the nano corpus: literal text with `{a|b|c}` alternatives; an empty alternative makes the
 * part optional. Alternatives do not nest. `"{how do|how can} i share {a|my} model{ with a friend|}"` has 8 expansions.
 */

type Part = readonly string[];

const BRACES = /\{([^{}]*)\}/;

/** Splits a pattern into parts, each a list of alternatives; literal text is a list of one. Throws RangeError when braces do not match or nest. */
export function parsePattern(pattern: string): readonly Part[] {
  const pieces = pattern.split(BRACES);
  return pieces.map((piece, index) => {
    if (index % 2 === 1) return piece.split('|');
    if (/[{}|]/.test(piece)) throw new RangeError(`braces do not match, or nest, in the pattern "${pattern}"`);
    return [piece];
  });
}

/** One phrasing of the pattern. `random` returns a number in [0, 1) and is asked once for each group of alternatives. */
export function expand(pattern: string, random: () => number): string {
  const chosen = parsePattern(pattern).map((part) =>
    part.length === 1 ? part[0] : part[Math.floor(random() * part.length)],
  );
  return normalizePhrase(chosen.join(''));
}

/** The number of ways through the pattern; two ways may give the same text. */
export function countExpansions(pattern: string): number {
  return parsePattern(pattern).reduce((count, part) => count * part.length, 1);
}

/** Every phrasing of the pattern, in order, each as `expand` would return it. */
export function* allExpansions(pattern: string): Generator<string> {
  const parts = parsePattern(pattern);
  const total = countExpansions(pattern);
  for (let index = 0; index < total; index++) {
    let rest = index;
    let text = '';
    for (const part of parts) {
      text += part[rest % part.length] ?? '';
      rest = Math.floor(rest / part.length);
    }
    yield normalizePhrase(text);
  }
}

/** Lower case, apostrophes dropped ("what's" is "whats"), other punctuation to spaces, single spaces. */
export function normalizePhrase(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/['’]/g, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
