import { describe, expect, it } from 'vitest';
import { fixtureRound } from '../../test/fixture-training.ts';
import { box, curveOf, participants, pointsOf } from './curve.ts';

describe('The curve of a run', () => {
  it('fits every loss under a round number, from the first round to the last', () => {
    for (const largest of [0.004, 0.61, 1.58, 2.5, 5.55, 40, 900]) {
      const { ticks, x, y } = curveOf([0.001, largest], 20);
      expect(ticks.length).toBeGreaterThanOrEqual(3);
      expect(ticks.length).toBeLessThanOrEqual(7);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(largest);
      expect([y(0), y(ticks.at(-1) ?? 0)]).toEqual([box.height - box.bottom, box.top]);
      expect([x(1), x(20)]).toEqual([box.left, box.width - box.right]);
    }
  });

  it('leaves a gap where a member was away, and where a loss is no number', () => {
    const rounds = [0, 1, 2, 3, 4].map((round) => fixtureRound(round, 0));
    const points = pointsOf(rounds, ({ round, loss }) => (round === 2 ? null : round === 4 ? Infinity : loss));
    expect(points.map(({ round }) => round)).toEqual([1, 2, 4]);
    expect(
      curveOf([1.5], 20)
        .path(points)
        .replaceAll(/[\d. ]+/gu, ''),
    ).toBe('MLM');
  });

  it('has those first who counted most, and those who have not sent anything too', () => {
    const rounds = [9, 10, 12].map((round) => fixtureRound(round, 0));
    const people = participants([{ peerId: 'new', name: 'new' }], rounds);
    expect(people.map(({ name, counted, refused }) => [name, [...counted], [...refused]])).toEqual([
      ['laptop', [10, 11, 13], []],
      ['study-pc', [10, 11, 13], []],
      ['lab-nuc', [10, 11, 13], []],
      ['pixel', [13], [10]],
      ['new', [], []],
    ]);
  });
});
