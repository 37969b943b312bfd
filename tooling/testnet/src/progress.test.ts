import { expect, test } from 'vitest';
import { counted } from './progress.ts';

test.each([
  [1, ['1 of 1 up']],
  [3, ['1 of 3 up', '2 of 3 up', '3 of 3 up']],
  [25, ['2', '4', '6', '8', '10', '12', '14', '16', '18', '20', '22', '24', '25'].map((done) => `${done} of 25 up`)],
])('of %i things it is said that each few are done, and that all are', (all, said) => {
  const heard: string[] = [];
  const done = counted(all, 'up', (text) => heard.push(text));
  for (let count = 0; count < all; count += 1) done();
  expect(heard).toEqual(said);
});
