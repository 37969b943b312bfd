import { crossEntropy, type Graph, matmul, type Value } from '../graph/index.ts';
import { parameter, type Parameters } from '../models/language-model.ts';
import { type Layout, layoutOf } from '../train/layout.ts';
import { hashedRow, letterGroups } from './hash.ts';
import type { WeightSource } from './plain.ts';

/** Sizes of the part that names the topic of a question. */
export interface ListenerSizes {
  /** Places that words, pairs of words and letter groups are hashed into. */
  readonly features: number;
  /** Questions that have a stored answer; there is one class more, for everything else. */
  readonly topics: number;
}

/** What the listener makes of a question. */
export interface Heard {
  /** All topics, likeliest first, those of the class "everything else" left out. */
  readonly ranking: readonly number[];
  /** The first of `ranking`, or undefined when "everything else" is likelier. */
  readonly topic: number | undefined;
  /** Of the first of `ranking`. */
  readonly probability: number;
  /** Of each topic, and last of the class "everything else", nats. */
  readonly scores: Float32Array;
}

const [groupMin, groupMax] = [2, 5];
const groupWeight = 0.4;
const pairWeight = 0.7;
/** Length of a feature vector: long enough for scores far from zero with small weights. */
const featureNorm = 8;

/**
 * A question as one vector [features]: its words, pairs of neighbours and 2- to 5-letter parts, hashed. What a typo leaves whole still counts. The
 * text must be normalised.
 */
export function questionFeatures(text: string, features: number): Float32Array {
  return hashedRow(weightedFeatures(text), features, 1).map((value) => value * featureNorm);
}

function* weightedFeatures(text: string): Generator<readonly [string, number]> {
  let before = '^';
  for (const word of text.split(' ')) {
    if (word === '') continue;
    yield [`w ${word}`, 1];
    yield [`b ${before} ${word}`, pairWeight];
    for (const group of letterGroups(word, groupMin, groupMax)) yield [`c ${group}`, groupWeight];
    before = word;
  }
  if (before !== '^') yield [`b ${before} $`, pairWeight];
}

/** One matrix, `listener` [features, topics + 1]. */
export function listenerLayout({ features, topics }: ListenerSizes): Layout {
  return layoutOf({ listener: [features, topics + 1] });
}

/** Softmax regression: adds the inputs `heard` [samples, features] and `topics` (int64 [samples]); returns the mean of −log p(topic), in nats. */
export function listenerLoss({ features }: ListenerSizes, samples: number) {
  return (graph: Graph, parameters: Parameters): Value => {
    const scores = matmul(graph.input('heard', [samples, features]), parameter(parameters, 'listener'));
    const weights = graph.constant(new Float32Array(samples).fill(1), [samples]);
    return crossEntropy(scores, graph.input('topics', [samples], 'int64'), weights);
  };
}

/** Names the topic of a normalised question. */
export function createListener({ features, topics }: ListenerSizes, weights: WeightSource): (text: string) => Heard {
  const matrix = weights('listener').slice();
  const classes = topics + 1;
  return (text) => {
    const scores = new Float32Array(classes);
    questionFeatures(text, features).forEach((value, feature) => {
      if (value === 0) return;
      for (let index = 0; index < classes; index += 1) {
        scores[index] = (scores[index] as number) + value * (matrix[feature * classes + index] as number);
      }
    });
    const highest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
    const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
    const score = (topic: number): number => scores[topic] as number;
    const ranking = Array.from({ length: topics }, (_, topic) => topic).sort((a, b) => score(b) - score(a) || a - b);
    const [first = 0] = ranking;
    return {
      ranking,
      topic: score(topics) > score(first) ? undefined : first,
      probability: Math.exp(score(first) - highest) / total,
      scores,
    };
  };
}

/**
 * How far two scores would have to move towards each other until the listener decides otherwise, nats, at least. Where a topic is `taken`: until another one or "everything else" is
 * likelier, or the probability falls below the gate, whose logarithm moves no more than the scores do. Where it is refused: until it would be taken, or other topics are named.
 *
 * @param named - topics that a refusal names.
 */
export function listenedMargin(
  { ranking, scores, probability }: Heard,
  gate: number,
  taken: boolean,
  named: number,
): number {
  const score = (place: number): number => scores[ranking[place] ?? -1] ?? -Infinity;
  /** Of a question that holds nothing to hear all scores are zero everywhere: no rounding brings them apart. */
  const gap = (a: number, b: number): number => (a === 0 && b === 0 ? Infinity : a - b);
  const besides = gap(score(0), scores[ranking.length] ?? -Infinity);
  const above = Math.log(probability) - Math.log(gate);
  const gaps = Array.from({ length: taken ? 1 : named }, (_, place) => gap(score(place), score(place + 1)));
  const order = Math.min(Infinity, ...gaps.filter((far) => !Number.isNaN(far)));
  if (taken) return Math.min(order, besides, above);
  // It is taken only when whatever speaks against it has moved.
  const against = [-besides, -above].filter((far) => far > 0);
  return against.length === 0 ? order : Math.min(order, Math.max(...against));
}
