import { createIdentity, nobleCrypto, type PeerAiError } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { capsuleEntry, readCapsuleEntry } from '../ledger/capsule-statement.ts';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair } from '../testing/steps.ts';
import type { MemoryAddRequest } from './memory.schema.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
const remember = async ({ peer }: TestPeer, request: MemoryAddRequest) =>
  (await peer.memory.add(request, live())).capsule;
const entriesOf = async ({ peer }: TestPeer) => (await peer.books.entries({ limit: 500 })).entries;
const stated = async (who: TestPeer) => (await entriesOf(who)).flatMap(({ capsule }) => capsule ?? []);

describe('the log says of a capsule', () => {
  test('its id, size, author, level and shared parents, once, and nothing of a personal one or of any text', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a', { seed: 1 }), await world.peer('b', { seed: 2 })];
    started.push(a, b);
    await pair(world, a, b, ['chat', 'memory']);
    const secret = await remember(a, { text: 'money under the roof', level: 'personal' });
    await expect(a.peer.memory.share(secret.id, 'b', live())).rejects.toMatchObject({ code: 'CAPSULE_PERSONAL' });
    expect(await entriesOf(a)).toEqual([]);

    const roof = await remember(a, { text: 'the roof leaks', level: 'public' });
    const relations = [
      { kind: 'follows' as const, capsule: roof.id },
      { kind: 'follows' as const, capsule: secret.id },
      { kind: 'related' as const, capsule: 'ab'.repeat(32) },
    ];
    const red = await remember(a, { text: 'the roof is red', level: 'behavioral', relations });
    const author = a.identity.peer;
    const said = [
      { capsule: roof.id, author, bytes: 14, level: 'public', parents: [] },
      { capsule: red.id, author, bytes: 15, level: 'behavioral', parents: [roof.id] },
    ];
    expect(await stated(a)).toEqual(said);
    await world.clock.until(a.peer.memory.share(roof.id, 'b', live()));
    await world.clock.until(a.peer.memory.share(red.id, 'b', live()));
    expect(await stated(a)).toEqual(said);
    const { entries } = await a.peer.logs.page(undefined, 0, 500);
    const raw = Buffer.concat(entries.map((entry) => Buffer.from(entry, 'base64url')));
    expect(raw.includes(Buffer.from(roof.id, 'hex'))).toBe(true);
    for (const hidden of [Buffer.from(secret.id, 'hex'), Buffer.from('roof'), Buffer.from('money')])
      expect(raw.includes(hidden)).toBe(false);
    expect(await a.peer.books.verify()).toMatchObject({ ok: true, size: 2 });

    // The other one keeps it; it says so when it gives it on itself, with the author's name.
    expect(await stated(b)).toEqual([]);
    const c = await world.peer('c', { seed: 3 });
    started.push(c);
    await pair(world, b, c, ['chat', 'memory']);
    const { hits } = await world.clock.until(c.peer.memory.search({ text: 'the roof leaks', peer: 'b' }, live()));
    expect(hits).toHaveLength(1);
    expect(await stated(b)).toEqual([said[0]]);
  });

  test('what can be read, and nothing else', () => {
    const { body } = capsuleEntry({
      capsule: 'ab'.repeat(32),
      author: createIdentity(nobleCrypto, new Uint8Array(32)).peer,
      bytes: 1,
      level: 'public',
      parents: ['cd'.repeat(32)],
    });
    expect(readCapsuleEntry(body).parents).toEqual(['cd'.repeat(32)]);
    const short = capsuleEntry({ ...readCapsuleEntry(body), capsule: 'ab' }).body;
    const newer = body.slice();
    newer[1] = 2;
    for (const [bytes, code] of [
      [short, 'INVALID_FORMAT'],
      [newer, 'INVALID_VERSION'],
      [body.slice(0, -1), 'INVALID_FORMAT'],
    ] as const)
      expect(() => readCapsuleEntry(bytes)).toThrow(expect.objectContaining({ code }) as PeerAiError);
  });
});
