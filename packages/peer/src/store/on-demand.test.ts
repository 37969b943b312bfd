import { expect, test } from 'vitest';
import { onDemand } from './on-demand.ts';

test('it is opened once, by who asks first, and a failure is tried anew', async () => {
  let opens = 0;
  const held = onDemand(async () => {
    opens += 1;
    if (opens === 1) throw new Error('the disk is away');
    return opens;
  });
  expect([await held.settled(), held.now()]).toEqual([undefined, undefined]);
  await expect(held.get()).rejects.toThrow('the disk is away');
  expect([await held.settled(), held.now()]).toEqual([undefined, undefined]);
  expect(await Promise.all([held.get(), held.get()])).toEqual([2, 2]);
  expect([await held.settled(), held.now(), opens]).toEqual([2, 2, 2]);
});
