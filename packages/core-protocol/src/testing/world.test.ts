import { expect, it } from 'vitest';
import { signRecord } from '../identity/record.ts';
import type { PeerId } from '../ports/index.ts';
import { seededRandom } from './random.ts';
import { memoryWorld } from './world.ts';

it('gives the same world for the same seed', () => {
  expect(memoryWorld({ seed: 5 }).identity.peer).toBe(memoryWorld({ seed: 5 }).identity.peer);
  expect(memoryWorld({ seed: 5 }).identity.peer).not.toBe(memoryWorld({ seed: 6 }).identity.peer);
  expect(seededRandom(2 ** 32 + 1).bytes(16)).not.toEqual(seededRandom(1).bytes(16));
});

it('finds a peer by its id and by its models, in its newest record, until that expires', async () => {
  const a = memoryWorld({ seed: 1 });
  const b = memoryWorld({ seed: 2, clock: a.clock, networks: a.networks });
  const fields = { addresses: [], name: 'b', agent: 'test/1', expiresMs: a.clock.nowMs() + 1_000 };
  const newest = signRecord(b.identity, { ...fields, sequence: 2, models: ['nano'] });
  await b.directory.announce(newest);
  await b.directory.announce(signRecord(b.identity, { ...fields, sequence: 1, models: ['old'] }));
  const find = async (what: PeerId | `model:${string}`): Promise<Uint8Array[]> => {
    const found: Uint8Array[] = [];
    for await (const record of a.directory.find(what, new AbortController().signal)) found.push(record);
    return found;
  };
  expect(await find(b.identity.peer)).toEqual([newest]);
  expect(await find('model:nano')).toEqual([newest]);
  expect(await find('model:old')).toEqual([]);
  a.networks.cut(a.identity.peer, b.identity.peer);
  expect(await find('model:nano')).toEqual([]);
  a.networks.heal(a.identity.peer, b.identity.peer);
  await a.clock.advance(1_000);
  expect(await find('model:nano')).toEqual([]);
});
