import type { PeerId } from '@peerai/core-protocol';
import { settle } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { broadcast } from './broadcast.ts';

test('`broadcastAtOnce` messages are on their way at once, the next when one is through', async () => {
  const waiting: ((name: string) => void)[] = [];
  const names = Array.from({ length: limits.broadcastAtOnce + 1 }, (_, at) => `d${at}`);
  const told = broadcast(
    {
      devices: { list: () => [] } as unknown as Devices,
      deliver: (to) =>
        new Promise((resolve) => {
          waiting.push(() => resolve({ v: 1, id: 'i', to: to as PeerId, state: 'delivered', code: null } as never));
        }),
    },
    names,
  );
  await settle();
  expect(waiting).toHaveLength(limits.broadcastAtOnce);
  waiting[0]?.('');
  await settle();
  expect(waiting).toHaveLength(limits.broadcastAtOnce + 1);
  for (const through of waiting) through('');
  expect((await told).deliveries.map(({ name }) => name)).toEqual(names);
});
