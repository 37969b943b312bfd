import type { Corpus } from './corpus-types.ts';
import { expand } from './corpus/expand.ts';
import { dot, lexicalHash } from './embedding.ts';
import { seededUnit } from '../train/random.ts';

/** Finds the known questions nearest to a text. */
export interface Retriever {
  /** Canonical questions of the `count` nearest intents, nearest first. */
  nearest(text: string, count: number): readonly string[];
}

const phrasingsPerPattern = 2;

/** Nearest neighbour on lexical-hash rows of the canonical questions and some phrasings of each pattern (always the same ones). */
export function createRetriever(corpus: Corpus): Retriever {
  const random = seededUnit(17);
  const entries = corpus.intents.map(({ question, patterns }) => {
    const drawn = patterns.flatMap((pattern) =>
      Array.from({ length: phrasingsPerPattern }, () => expand(pattern, random)),
    );
    return { question, rows: [...new Set([question, ...drawn])].map((text) => lexicalHash(text)) };
  });
  return {
    nearest(text, count) {
      const row = lexicalHash(text);
      const scored = entries.map(({ question, rows }) => ({
        question,
        score: rows.reduce((best, other) => Math.max(best, dot(row, other)), -1),
      }));
      scored.sort((left, right) => right.score - left.score);
      return scored.slice(0, count).map(({ question }) => question);
    },
  };
}
