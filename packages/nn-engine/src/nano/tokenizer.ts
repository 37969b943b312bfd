/** Ids below the first character. */
export const special = { pad: 0, question: 1, end: 2, unknown: 3 } as const;
const specialCount = 4;

/** What makes a tokenizer: written into the model file. */
export interface Vocabulary {
  /** Single characters, ids 5 and up. */
  readonly characters: readonly string[];
  /** Pairs of earlier ids, in the order they were learned; each makes the next id. */
  readonly merges: readonly (readonly [number, number])[];
}

export interface EncodeOptions {
  /** The chance that a merge is skipped (BPE-dropout, Provilkov et al., arXiv 1910.13267); for training. */
  readonly dropout?: number;
  readonly random?: () => number;
}

export interface Tokenizer {
  readonly vocabulary: Vocabulary;
  /** Number of ids. */
  readonly size: number;
  encode(text: string, options?: EncodeOptions): number[];
  /** Special ids give no text. */
  decode(ids: readonly number[]): string;
}

/** Words with the space before them, runs of digits, runs of other signs. */
const pieces = / ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s/gu;
const cachedWordsMax = 20_000;

/** A byte-pair encoder (Sennrich et al., arXiv 1508.07909) over characters; a character it does not know becomes `special.unknown`. */
export function createTokenizer(vocabulary: Vocabulary): Tokenizer {
  const texts = [...Array.from({ length: specialCount }, () => ''), ...vocabulary.characters];
  const characterIds = new Map(vocabulary.characters.map((character, index) => [character, specialCount + index]));
  const ranks = new Map<number, number>();
  for (const [left, right] of vocabulary.merges) {
    ranks.set(pairKey(left, right), texts.length);
    texts.push((texts[left] ?? '') + (texts[right] ?? ''));
  }
  const cache = new Map<string, readonly number[]>();

  const characters = (word: string): number[] =>
    Array.from(word, (character) => characterIds.get(character) ?? special.unknown);
  const encodeWord = (word: string): readonly number[] => {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const ids = merge(characters(word), ranks, 0, () => 0);
    if (cache.size >= cachedWordsMax) cache.clear();
    cache.set(word, ids);
    return ids;
  };

  return {
    vocabulary,
    size: texts.length,
    encode(text, { dropout = 0, random = Math.random } = {}) {
      const words = text.match(pieces) ?? [];
      if (dropout === 0) return words.flatMap((word) => encodeWord(word));
      return words.flatMap((word) => merge(characters(word), ranks, dropout, random));
    },
    decode: (ids) => ids.map((id) => texts[id] ?? '').join(''),
  };
}

/** Joins the earliest-learned pair until none is left. A merge's id is also its rank. */
function merge(ids: number[], ranks: ReadonlyMap<number, number>, dropout: number, random: () => number): number[] {
  for (;;) {
    let [best, place] = [Infinity, -1];
    for (let index = 0; index + 1 < ids.length; index += 1) {
      const rank = ranks.get(pairKey(ids[index] as number, ids[index + 1] as number));
      if (rank === undefined || rank >= best || (dropout > 0 && random() < dropout)) continue;
      [best, place] = [rank, index];
    }
    if (place < 0) return ids;
    ids.splice(place, 2, best);
  }
}

/**
 * Learns a vocabulary of `size` ids from texts and how often each counts. Ties go to the pair seen first, so the same texts give the same result.
 *
 * @param alphabet - characters that are known even if no text has them.
 */
export function learnVocabulary(texts: ReadonlyMap<string, number>, size: number, alphabet = ''): Vocabulary {
  const counts = new Map<string, number>();
  for (const [text, weight] of texts) {
    for (const word of text.match(pieces) ?? []) counts.set(word, (counts.get(word) ?? 0) + weight);
  }
  const characters = [...new Set(Array.from([alphabet, ...counts.keys()].join('')))].sort();
  const ids = new Map(characters.map((character, index) => [character, specialCount + index]));
  const words = Array.from(counts, ([word, count]) => ({
    ids: Array.from(word, (sign) => ids.get(sign) as number),
    count,
  }));
  const merges: [number, number][] = [];
  while (specialCount + characters.length + merges.length < size) {
    const pair = mostFrequentPair(words);
    if (pair === undefined) break;
    const id = specialCount + characters.length + merges.length;
    merges.push(pair);
    for (const word of words) joinPair(word.ids, pair, id);
  }
  return { characters, merges };
}

function mostFrequentPair(
  words: readonly { readonly ids: readonly number[]; readonly count: number }[],
): [number, number] | undefined {
  const counts = new Map<number, number>();
  for (const { ids, count } of words) {
    for (let index = 0; index + 1 < ids.length; index += 1) {
      const key = pairKey(ids[index] as number, ids[index + 1] as number);
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  let [best, most] = [-1, 0];
  for (const [key, count] of counts) if (count > most) [best, most] = [key, count];
  return best < 0 ? undefined : [Math.floor(best / pairBase), best % pairBase];
}

function joinPair(ids: number[], [left, right]: readonly [number, number], id: number): void {
  for (let index = 0; index + 1 < ids.length; index += 1) {
    if (ids[index] === left && ids[index + 1] === right) ids.splice(index, 2, id);
  }
}

const pairBase = 65_536;

function pairKey(left: number, right: number): number {
  return left * pairBase + right;
}
