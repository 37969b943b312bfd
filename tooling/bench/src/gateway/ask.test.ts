import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arrivalOf, serverSentData } from './ask.ts';

it('An arrival has the first token, the rate between first and last, and the gap that one in a hundred exceeds', () => {
  const times = Array.from({ length: 200 }, (_, index) => 110 + index * 5 + (index === 100 ? 2 : 0));
  const arrival = arrivalOf(100, times, 200);
  expect(arrival.firstMs).toBe(10);
  expect(arrival.tokensPerSecond).toBeCloseTo(200);
  expect(arrival.gapP99Ms).toBe(5);
});

it('An answer that is not whole is refused', () => {
  expect(() => arrivalOf(0, [1, 2], 3)).toThrow('2 tokens came');
});

it('Events are read the same in whatever pieces they come', async () => {
  const events = ['{"a":"ü"}', '{"b":1}', '[DONE]'];
  const bytes = new TextEncoder().encode(events.map((event) => `data: ${event}\n\n`).join(''));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 6 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      async function* pieces() {
        for (const [index, place] of places.slice(1).entries()) yield bytes.subarray(places[index], place);
      }
      const read: string[] = [];
      for await (const data of serverSentData(pieces())) read.push(data);
      expect(read).toEqual(events);
    }),
  );
});
