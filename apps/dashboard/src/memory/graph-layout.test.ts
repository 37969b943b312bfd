import { expect, it } from 'vitest';
import { picture, placeCapsules } from './graph-layout.ts';

const capsules = Array.from({ length: 48 }, (_, place) => ({ id: `c${place}` }));
const link = (from: number, to: number) => ({ from: `c${from}`, to: `c${to}`, kind: 'tag' as const, strength: 1 });

it('Each capsule has a place of its own inside the picture, and what is bound stands nearer than what is not', () => {
  const graph = { capsules, links: Array.from({ length: 24 }, (_, place) => link(place, place + 24)) };
  const places = placeCapsules(graph);
  expect(placeCapsules(graph)).toEqual(places);
  const at = (place: number) => places.get(`c${place}`) ?? { x: Number.NaN, y: Number.NaN };
  for (const { x, y } of places.values()) {
    expect(x).toBeGreaterThanOrEqual(picture.margin);
    expect(x).toBeLessThanOrEqual(picture.width - picture.margin);
    expect(y).toBeGreaterThanOrEqual(picture.margin);
    expect(y).toBeLessThanOrEqual(picture.height - picture.margin);
  }
  const distance = (a: number, b: number): number => Math.hypot(at(a).x - at(b).x, at(a).y - at(b).y);
  const mean = (pairs: readonly number[]): number => pairs.reduce((sum, one) => sum + one, 0) / pairs.length;
  const bound = mean(graph.links.map((_, place) => distance(place, place + 24)));
  const free = mean(graph.links.map((_, place) => distance(place, ((place + 12) % 24) + 24)));
  expect(bound).toBeLessThan(free / 2);
  expect(new Set([...places.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(capsules.length);
});
