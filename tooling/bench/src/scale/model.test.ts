import { expect, it } from 'vitest';
import { calibrate, offBy } from './model.ts';
import type { Point } from './point.ts';

const bounds = { recordsMax: 4_096, recordBytes: 0, linksWanted: 8, announceEverySeconds: 3_600 };
const pointAt = (nodes: number): Point => {
  const links = Math.min(nodes - 1, 9.5);
  return {
    nodes,
    links,
    liveBytes: 1_000_000 + 50_000 * links,
    quietBytes: 10 + 40 * links,
    quietProcessor: 0,
    announceBytes: 5_000 + 700 * nodes,
  };
};
const points = [8, 16, 32, 50].map(pointAt);

it('Points on its lines are met, those between and beyond too', () => {
  const model = calibrate(points, bounds);
  for (const nodes of [8, 20, 50, 1_024]) {
    const { links, liveBytes, quietBytes, announceBytes } = pointAt(nodes);
    expect(model.at(nodes)).toEqual({
      nodes,
      links: expect.closeTo(links, 6) as number,
      liveBytes: expect.closeTo(liveBytes, 2) as number,
      quietBytes: expect.closeTo(quietBytes, 6) as number,
      announceBytes: expect.closeTo(announceBytes / 3_600, 6) as number,
    });
  }
});

it('The lines it has found can be read', () => {
  const { quietBytes, announceBytes } = calibrate(points, bounds).lines;
  expect([quietBytes, announceBytes].flatMap(({ base, slope }) => [base, slope]).map((one) => one.toFixed(6))).toEqual(
    [10, 40, 5_000, 700].map((one) => one.toFixed(6)),
  );
});

it('A node has no more links than there are others, and in a large network as many as in those measured', () => {
  const model = calibrate(points, bounds);
  expect([2, 5, 10_000].map((nodes) => model.at(nodes).links)).toEqual([1, 4, 9.5]);
});

it('Records beyond those of the measured networks take memory, up to as many as are kept', () => {
  const [without, with_] = [calibrate(points, bounds), calibrate(points, { ...bounds, recordBytes: 1_000 })];
  const more = (nodes: number): number => with_.at(nodes).liveBytes - without.at(nodes).liveBytes;
  expect(more(10)).toBe(0);
  expect(more(1_000)).toBeCloseTo((1_000 - 26.5) * 1_000, 3);
  expect(more(10_000)).toBeCloseTo((4_096 - 26.5) * 1_000, 3);
});

it('Two points are too few, and so are small networks alone', () => {
  expect(() => calibrate(points.slice(0, 2), bounds)).toThrow(RangeError);
  expect(() => calibrate(points, { ...bounds, linksWanted: 49 })).toThrow(RangeError);
});

it('An error is a share of what was measured', () => {
  expect(offBy(90, 100)).toBeCloseTo(0.1);
  expect(offBy(110, 100)).toBeCloseTo(0.1);
});
