import { describe, expect, it } from 'vitest';

import { createListener, type Heard, listenedMargin, questionFeatures } from './listener.ts';

const length = (row: Float32Array): number => Math.hypot(...row);
const near = (left: string, right: string): number => {
  const [a, b] = [questionFeatures(left, 4096), questionFeatures(right, 4096)];
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? Number.NaN), 0) / length(a) / length(b);
};

describe('the features of a question', () => {
  it('have one length whatever the question, and none for nothing', () => {
    expect(length(questionFeatures('how do i share a model', 4096))).toBeCloseTo(8, 4);
    expect(length(questionFeatures('hi', 4096))).toBeCloseTo(8, 4);
    expect(length(questionFeatures('', 4096))).toBe(0);
  });

  it('stay near with a typo, and tell the order of words', () => {
    expect(near('how do i share a model', 'how do i sahre a model')).toBeGreaterThan(0.6);
    expect(near('how do i share a model', 'what is the weather in rome')).toBeLessThan(0.3);
    expect(near('share not stop', 'stop not share')).toBeLessThan(0.999);
  });
});

describe('the listener', () => {
  const sizes = { features: 16, topics: 3 };
  /** Each class scores its own constant for whatever is said. */
  const listener = (scores: readonly number[]) => {
    const row = questionFeatures('hello', sizes.features);
    const place = row.findIndex((value) => value !== 0);
    const matrix = new Float32Array(sizes.features * 4);
    scores.forEach((score, index) => (matrix[place * 4 + index] = score / (row[place] ?? Number.NaN)));
    return createListener(sizes, () => matrix);
  };

  it('ranks the topics by score, and gives the probability of the first among all classes', () => {
    const heard = listener([0, Math.log(6), Math.log(2), 0])('hello');
    expect(heard).toMatchObject({ ranking: [1, 2, 0], topic: 1 });
    expect(heard.probability).toBeCloseTo(0.6, 5);
  });

  it('names no topic when everything else is likelier, and still says what was nearest', () => {
    const heard = listener([0, 1, 2, 5])('hello');
    expect(heard).toMatchObject({ ranking: [2, 1, 0], topic: undefined });
    expect(heard.probability).toBeLessThan(0.05);
  });

  it('has no preference where it hears nothing', () => {
    expect(listenedMargin(listener([0, 1, 2, 5])(''), 0.5, false, 3)).toBeCloseTo(Math.log(2));
    expect(listener([0, 1, 2, 5])('')).toMatchObject({ ranking: [0, 1, 2], topic: 0, probability: 0.25 });
  });

  const gate = 0.5;
  const decided = ({ topic, probability, ranking }: Heard): string =>
    topic !== undefined && probability >= gate ? `topic ${topic}` : `none of ${ranking.join(', ')}`;
  it.each([
    ['it is nearly as much another topic', [1, 3, 2.9, 0], 0.1],
    ['it is nearly everything else', [0, 3, 1, 2.8], 0.2],
    ['it is nearly below the gate', [0, 2, 1.2, 0.4], 0.11],
    ['it is nearly taken', [0, 2, 1.4, 1.4], 0.23],
    ['what it refuses names other topics soon', [0, 1, 1.3, 5], 0.3],
  ])('says how far scores may be off until it decides otherwise: %s', (_, scores, least) => {
    const heard = listener(scores)('hello');
    const margin = listenedMargin(heard, gate, decided(heard).startsWith('topic'), 3);
    expect(margin).toBeGreaterThan(0);
    expect(margin).toBeLessThan(least + 0.01);
    // Every one off by less than half of that, each way, and it is the same.
    const off = (far: number) =>
      Array.from({ length: 16 }, (_way, bits) =>
        scores.map((score, place) => score + ((bits >> place) & 1 ? far : -far)),
      );
    for (const moved of off(0.49 * margin)) expect(decided(listener(moved)('hello'))).toBe(decided(heard));
    expect(off(8 * margin).some((moved) => decided(listener(moved)('hello')) !== decided(heard))).toBe(true);
  });
});
