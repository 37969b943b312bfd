import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { map, placeDevices, radiusOf, rings } from './layout.ts';

const requests = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 4, maxLength: 12 }),
    roundTripMs: fc.option(fc.integer({ min: 1, max: 300 })),
  }),
  { maxLength: 24, selector: ({ id }) => id },
);

describe('The map', () => {
  it('puts a round trip on its ring and longer ones further out', () => {
    for (const { ms, radius } of rings) expect(radiusOf(ms)).toBe(radius);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 140 }),
        fc.integer({ min: 0, max: 140 }),
        (a, b) => a <= b === radiusOf(a) <= radiusOf(b),
      ),
    );
    expect(radiusOf(null)).toBeGreaterThan(radiusOf(140));
  });

  it('keeps every device inside the picture', () => {
    fc.assert(
      fc.property(requests, (devices) => {
        for (const { x, y } of placeDevices(devices, new Map()).values()) {
          expect(x).toBeGreaterThanOrEqual(map.nodeRadius);
          expect(x).toBeLessThanOrEqual(map.width - map.nodeRadius);
          expect(y).toBeGreaterThanOrEqual(map.nodeRadius);
          expect(y).toBeLessThanOrEqual(map.height - map.nodeRadius);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('draws the same devices at the same places on every visit', () => {
    const devices = ['study', 'nuc', 'pixel'].map((id, i) => ({ id, roundTripMs: 8 + i * 30 }));
    expect(placeDevices(devices, new Map())).toEqual(placeDevices(devices, new Map()));
  });

  it('leaves everybody room for a name', () => {
    const devices = Array.from({ length: 14 }, (_, i) => ({ id: `device-${i}`, roundTripMs: i < 7 ? 8 : 40 }));
    const places = [...placeDevices(devices, new Map()).values()];
    places.forEach((a, i) => {
      for (const b of places.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(90);
    });
  });

  it('moves nobody when one comes, and only the one whose distance changed', () => {
    const devices = ['study', 'nuc', 'pixel'].map((id, i) => ({ id, roundTripMs: 8 + i * 30 }));
    const before = placeDevices(devices, new Map());
    const after = placeDevices([...devices, { id: 'newcomer', roundTripMs: 90 }], before);
    for (const [id, place] of before) expect(after.get(id)).toEqual(place);
    const further = placeDevices([{ id: 'study', roundTripMs: 120 }, ...devices.slice(1)], before);
    expect(further.get('study')).not.toEqual(before.get('study'));
    expect(further.get('nuc')).toEqual(before.get('nuc'));
  });
});
