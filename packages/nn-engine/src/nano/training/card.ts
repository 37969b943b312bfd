import type { Corpus } from '../corpus-types.ts';
import type { NanoEvaluation, Score } from '../evaluate.ts';
import { nanoLayout } from '../sizes.ts';
import type { Exported } from './export.ts';
import { sampleRecipe } from './samples.ts';
import { schedule } from './schedule.ts';
import type { NanoCheckpoint } from './training.ts';

/** The model card that stands beside the file: what it is, how it was trained, what it cannot do, and figures measured on what ships. */
export function nanoCard(checkpoint: NanoCheckpoint, exported: Exported, corpus: Corpus, seed: number): object {
  const { sizes } = checkpoint;
  return {
    name: 'nano',
    what: 'A listener (softmax regression over hashed words, pairs of words and letter groups) that names the topic of a question, and a Llama-style language model (RMSNorm, rotary positions, SwiGLU) that reads the question and the topic and recites the stored answer. It answers questions about PeerAI and a little small talk.',
    parameters: nanoLayout(sizes).size,
    sizes,
    weights: 'int8 in blocks of 64 with one float32 scale each; the gains of the norms are float32',
    fileBytes: exported.file.length,
    training: {
      command: 'pnpm nano:train',
      corpus: `${corpus.intents.length} intents with ${corpus.intents.reduce((sum, intent) => sum + intent.patterns.length, 0)} sentence patterns, and ${corpus.unrelated.train.length} unrelated questions answered with a refusal; written by hand, in this repository`,
      steps: checkpoint.state.step,
      seed,
      optimiser: 'AdamW with gradient clipping, both parts in one step, exponential average of the weights',
      schedule,
      samples: sampleRecipe,
    },
    gate: {
      ...exported.gate,
      meaning:
        'refuses when the listener gives its likeliest topic a lower probability than the minimum, or "everything else" a higher one',
    },
    reads:
      'The last user message of a conversation, lower-cased and without punctuation, and nothing else: no system prompt, no earlier turns.',
    cannot: [
      'It does not reason, calculate, translate, write or remember: it recites what it learned.',
      'It knows about 100 things. Other questions it should refuse, with three suggested questions; some it answers wrongly with confidence.',
      'Questions in unusual wording are often not understood: see unseenPatterns.',
      'It reads English only.',
      'Temperature, top-p and seed change nothing: decoding is greedy.',
      'Its embeddings are lexical (hashed words and letter groups), not semantic.',
    ],
    measured: {
      command: 'pnpm bench nano-quality',
      rightMeans:
        'the exact stored answer of the right intent; a refusal is never right, except for unrelated questions',
      ...figures(exported.evaluation),
      float32: figures(exported.float),
    },
  };
}

function figures(evaluation: NanoEvaluation): object {
  return {
    known: show(evaluation.known),
    typos: show(evaluation.typos),
    unrelatedRefused: show(evaluation.unrelated),
    unseenPatterns: show(evaluation.unseenPatterns),
  };
}

function show({ right, total, share, refused, suggested }: Score): object {
  return { right, of: total, percent: Math.round(share * 1000) / 10, refused, rightQuestionSuggested: suggested };
}
