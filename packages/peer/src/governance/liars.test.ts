import type { PeerId } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import type { RunningGroup } from './group.ts';
import { createLiarTeller } from './liars.ts';

test('a member that the agreement has proven to lie is told of once in each group', () => {
  const said: string[] = [];
  const tell = createLiarTeller((peer, proof) => said.push(`${peer} ${proof}`));
  const groupOf = (id: string, ...liars: string[]) =>
    ({ id, status: () => ({ liars: liars as PeerId[] }) }) as unknown as RunningGroup;
  for (const group of [groupOf('a'), groupOf('a', 'x'), groupOf('a', 'x', 'y'), groupOf('b', 'x')]) tell(group);
  expect(said).toEqual(['x agreement/a', 'y agreement/a', 'x agreement/b']);
});
