import type { Corpus } from '../corpus-types.ts';
import { expand, normalizePhrase } from '../corpus/expand.ts';
import { learnVocabulary, type Vocabulary } from '../tokenizer.ts';

const drawsPerPattern = 8;
/** An answer is written once in the corpus and recited often. */
const answerWeight = 40;
const printableAscii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

/** Learns the tokens of a corpus from drawn phrasings and all answers; determined by `random`. */
export function corpusVocabulary(corpus: Corpus, size: number, random: () => number): Vocabulary {
  const texts = new Map<string, number>();
  const count = (text: string, weight: number): void => void texts.set(text, (texts.get(text) ?? 0) + weight);
  for (const intent of corpus.intents) {
    count(intent.answer, answerWeight);
    for (const pattern of intent.patterns) {
      for (let draw = 0; draw < drawsPerPattern; draw += 1) count(` ${expand(pattern, random)}`, 1);
    }
  }
  count(corpus.refusal, answerWeight);
  for (const question of corpus.unrelated.train) count(` ${normalizePhrase(question)}`, 1);
  return learnVocabulary(texts, size, printableAscii);
}
