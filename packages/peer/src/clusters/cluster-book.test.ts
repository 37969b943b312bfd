import type { PeerId } from '@peerai/core-protocol';
import { MemoryStore, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { openClusterBook } from './cluster-book.ts';
import { clusterLimits } from './limits.ts';

test('the newest `clustersGoneMax` that were removed are remembered, over a restart too', async () => {
  const store = new MemoryStore();
  const open = () => openClusterBook(store, silentLogger, 'this-peer' as PeerId);
  const book = await open();
  const names = Array.from({ length: clusterLimits.clustersGoneMax + 1 }, (_, place) => `c${place}`);
  for (const name of names.slice(0, -1)) await book.remove(name);
  expect([...book.gone().keys()].toSorted()).toEqual(names.slice(0, -1).toSorted());
  await book.remove(names.at(-1) ?? '');
  for (const each of [book, await open()])
    expect([...each.gone().keys()].toSorted()).toEqual(names.slice(1).toSorted());
});
