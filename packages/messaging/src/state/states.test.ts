import type { PeerId } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { meet, type StateOptions, type StateWorld, stateWorld } from '../../test/state-world.ts';
import { place, type Place } from '../../test/world.ts';
import { limits } from './limits.ts';

const worlds: StateWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});
async function join(seed: number, here: Place, options: StateOptions = {}): Promise<StateWorld> {
  const world = await stateWorld(seed, here, options);
  worlds.push(world);
  return world;
}
const settle = (here: Place, ms = 5_000): Promise<void> => here.clock.advance(ms);

/** A founds a document and shares it with the others, who have it. */
async function shared(here: Place, size: number) {
  const [a, b, ...others] = await Promise.all(Array.from({ length: size }, (_, index) => join(index + 1, here)));
  if (a === undefined || b === undefined) throw new TypeError('two at least');
  const { id } = await a.states.create('notes', { members: [b, ...others].map(({ peer }) => peer) });
  await settle(here);
  return { id, a, b, c: others[0] ?? b };
}

describe('a document', () => {
  test('has the same values and text at everybody who shares it, whoever wrote', async () => {
    const here = place();
    const { id, a, b, c } = await shared(here, 3);
    await a.states.set(id, 'color', { name: 'red' });
    await b.states.write(id, 'hello');
    await settle(here);
    await c.states.set(id, 'count', 3);
    await c.states.write(id, 'hello world');
    await settle(here);
    const whole = { values: { color: { name: 'red' }, count: 3 }, text: 'hello world' };
    for (const one of [a, b, c]) expect(await one.seen(id)).toEqual(whole);
    expect((await c.states.list())[0]).toMatchObject({ id, name: 'notes', founder: a.peer, keys: 2, textChars: 11 });
    expect(b.changes).toContainEqual([id, { keys: ['color'], text: false }]);
  });

  test('says whether a change changes anything, and forgets what is removed', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    expect([await a.states.set(id, 'x', 1), await a.states.set(id, 'x', 1)]).toEqual([true, false]);
    await settle(here);
    expect([await b.states.remove(id, 'x'), await b.states.remove(id, 'x')]).toEqual([true, false]);
    await settle(here);
    expect(await a.states.values(id)).toEqual({});
  });

  test('becomes the same when those who wrote apart meet again, and texts keep what both wrote', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    await a.states.write(id, 'one two three');
    await settle(here);
    here.networks.cut(a.peer, b.peer);
    await a.states.write(id, 'ONE two three');
    await a.states.set(id, 'who', 'a');
    await b.states.write(id, 'one two three four');
    await b.states.set(id, 'who', 'b');
    await settle(here);
    expect(await a.seen(id)).not.toEqual(await b.seen(id));
    here.networks.heal(a.peer, b.peer);
    await meet(a, b);
    await settle(here);
    expect(await a.seen(id)).toEqual(await b.seen(id));
    expect(await a.states.text(id)).toBe('ONE two three four');
  });

  test('reaches who is away by letter, without a meeting of the two being needed for what is older', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    const store = b.store.copy();
    b.die();
    await settle(here, 1_000);
    await a.states.set(id, 'while', 'away');
    await settle(here);
    expect(await a.messenger.pending()).toMatchObject([{ to: b.peer }]);
    const back = await join(2, here, { store });
    await settle(here, 90_000);
    expect(await back.states.values(id)).toEqual({ while: 'away' });
    expect(await a.messenger.pending()).toEqual([]);
  });

  test('goes on through a third who knows both, with each author’s own signature', async () => {
    const here = place();
    const { id, a, b, c } = await shared(here, 3);
    here.networks.cut(a.peer, c.peer);
    await a.states.set(id, 'from', 'a');
    await settle(here);
    expect(await c.states.values(id)).toEqual({ from: 'a' });
    expect(await b.states.values(id)).toEqual({ from: 'a' });
  });

  test('is there after a restart, and writing goes on', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    await a.states.set(id, 'kept', true);
    await settle(here);
    a.die();
    const again = await join(1, here, { store: a.store.reopen() });
    await again.states.set(id, 'more', 1);
    await settle(here, 90_000);
    expect(await again.states.values(id)).toEqual({ kept: true, more: 1 });
    expect(await b.states.values(id)).toEqual({ kept: true, more: 1 });
  });

  test('of a peer that came back with an older disk loses nothing and takes no place twice', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    const old = a.store.copy();
    await a.states.set(id, 'first', 1);
    await a.states.set(id, 'second', 2);
    await settle(here);
    a.die();
    const back = await join(1, here, { store: old });
    await back.states.set(id, 'third', 3);
    await settle(here, 90_000);
    const all = { first: 1, second: 2, third: 3 };
    expect([await back.states.values(id), await b.states.values(id)]).toEqual([all, all]);
  });

  test('takes nothing of a change whose commit failed', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    await a.states.set(id, 'x', 1);
    await settle(here);
    a.store.failNextCommit('STORE_FULL');
    await expect(a.states.set(id, 'x', 2)).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await a.states.values(id)).toEqual({ x: 1 });
    await a.states.set(id, 'y', 3);
    await settle(here);
    expect(await b.states.values(id)).toEqual({ x: 1, y: 3 });
  });
});

describe('who shares it', () => {
  test('is said by its founder; who is let in later has all of it, who is let out nothing that comes after', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    await a.states.set(id, 'old', 1);
    const c = await join(3, here);
    await a.states.share(id, [c.peer]);
    await settle(here);
    expect(await c.states.values(id)).toEqual({ old: 1 });
    await expect(b.states.unshare(id, c.peer)).rejects.toMatchObject({ code: 'REFUSED' });
    await a.states.unshare(id, c.peer);
    await settle(here);
    await a.states.set(id, 'new', 2);
    await settle(here);
    expect([await c.states.values(id), await b.states.values(id)]).toEqual([{ old: 1 }, { old: 1, new: 2 }]);
    await c.states.set(id, 'mine', 3);
    await settle(here);
    expect(await a.states.values(id)).toEqual({ old: 1, new: 2 });
  });

  test('a peer that may not share brings nothing, and gets nothing', async () => {
    const here = place();
    const a = await join(1, here);
    const b = await join(2, here, { mayShare: () => false });
    const { id } = await a.states.create('notes', { members: [b.peer] });
    await a.states.set(id, 'x', 1);
    await settle(here, 90_000);
    expect(await b.states.list()).toEqual([]);
  });

  test('a document of a group is shared by its members of now', async () => {
    const here = place();
    const members: PeerId[] = [];
    const groupMembers = async (): Promise<readonly PeerId[]> => members;
    const [a, b, c] = [
      await join(1, here, { groupMembers }),
      await join(2, here, { groupMembers }),
      await join(3, here, { groupMembers }),
    ];
    members.push(a.peer, b.peer);
    const { id } = await a.states.create('plan', { group: '0'.repeat(32) });
    await a.states.set(id, 'x', 1);
    await settle(here);
    expect([await b.states.values(id), await c.states.list()]).toEqual([{ x: 1 }, []]);
    members.push(c.peer);
    await b.states.set(id, 'y', 2);
    await settle(here);
    expect(await c.states.values(id)).toEqual({ x: 1, y: 2 });
  });

  test('what is forgotten does not come back', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    await b.states.forget(id);
    await a.states.set(id, 'x', 1);
    await settle(here, 90_000);
    expect(await b.states.list()).toEqual([]);
    await expect(b.states.values(id)).rejects.toMatchObject({ code: 'DOCUMENT_UNKNOWN' });
    expect(await a.messenger.pending()).toEqual([]);
  });
});

describe('limits', () => {
  test('a key, a value and a name of the limit are taken, one byte more is not', async () => {
    const a = await join(1, place());
    const { id } = await a.states.create('n'.repeat(limits.nameBytesMax), {});
    await expect(a.states.create('n'.repeat(limits.nameBytesMax + 1), {})).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    expect(await a.states.set(id, 'k'.repeat(limits.keyBytesMax), 'v'.repeat(limits.valueBytesMax - 2))).toBe(true);
    for (const [key, value] of [
      ['k'.repeat(limits.keyBytesMax + 1), 1],
      ['', 1],
      ['k', 'v'.repeat(limits.valueBytesMax - 1)],
    ] as const)
      await expect(a.states.set(id, key, value)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await expect(a.states.set(id, 'k', undefined)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  });

  test('a text of the limit is written, one character more is not and leaves it as it was', async () => {
    const a = await join(1, place());
    const { id } = await a.states.create('notes', {});
    const text = 'x'.repeat(limits.textCharsMax);
    await a.states.write(id, text);
    await expect(a.states.write(id, `${text}x`)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await a.states.text(id)).toBe(text);
  });

  test('so many keys as the limit says', async () => {
    const a = await join(1, place());
    const { id } = await a.states.create('notes', {});
    for (let index = 0; index < limits.keysMax; index += 1) await a.states.set(id, `k${index}`, 1);
    await expect(a.states.set(id, 'one more', 1)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    expect(Object.keys(await a.states.values(id))).toHaveLength(limits.keysMax);
  }, 60_000);

  test('a founder makes so many documents as its limit says, and is shared with so many peers', async () => {
    const here = place();
    const [a, b] = [await join(1, here), await join(2, here)];
    const peers = (count: number): PeerId[] => Array.from({ length: count }, () => b.peer);
    await a.states.create('full', { members: peers(limits.membersMax) });
    await expect(a.states.create('over', { members: peers(limits.membersMax + 1) })).rejects.toMatchObject({
      code: 'LIMIT_REACHED',
    });
    for (let count = 1; count < limits.documentsPerFounderMax; count += 1) await a.states.create(`d${count}`, {});
    await expect(a.states.create('over', {})).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    await settle(here);
  });

  test('a full document refuses the next value, takes removals, and has room again', async () => {
    const a = await join(1, place());
    const { id } = await a.states.create('notes', {});
    const value = 'v'.repeat(limits.valueBytesMax - 2);
    for (let index = 0; index < 7; index += 1) await a.states.set(id, `k${index}`, value);
    await expect(a.states.set(id, 'k7', value)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    await expect(a.states.values(id)).resolves.not.toHaveProperty('k7');
    await a.states.remove(id, 'k0');
    await a.states.set(id, 'k7', value);
    expect((await a.states.list())[0]?.bytes).toBeLessThanOrEqual(limits.documentBytesMax);
  });

  test('what many wrote while they were apart, each up to the limit, is the same everywhere when they meet', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    const writers = [a, b];
    for (let seed = 3; seed <= 10; seed += 1) writers.push(await join(seed, here));
    await a.states.share(
      id,
      writers.slice(2).map(({ peer }) => peer),
    );
    await settle(here);
    for (const one of writers) for (const other of writers) if (one !== other) here.networks.cut(one.peer, other.peer);
    const value = 'v'.repeat(limits.valueBytesMax - 2);
    for (const one of writers)
      for (let key = 0; key < 7; key += 1) await one.states.set(id, `${one.peer} ${key}`, value);
    for (const one of writers) for (const other of writers) if (one !== other) here.networks.heal(one.peer, other.peer);
    for (const one of writers.slice(1)) await meet(a, one);
    await settle(here);
    for (const one of writers) expect(Object.keys(await one.states.values(id))).toHaveLength(70);
    // Ten times the bytes that one may write, and more than any one frame, batch or author has.
    expect((await b.states.list())[0]?.bytes).toBeGreaterThan(70 * limits.valueBytesMax);
    await expect(b.states.set(id, 'more', 1)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    await b.states.remove(id, `${b.peer} 0`);
    await settle(here);
    for (const one of writers) expect(Object.keys(await one.states.values(id))).toHaveLength(69);
  }, 60_000);

  test('many changes are written anew as one, which others take for all it replaces', async () => {
    const here = place();
    const { id, a, b } = await shared(here, 2);
    const rows = async ({ store }: StateWorld): Promise<number> => {
      let count = 0;
      for await (const { key } of store.room('state').range(`log/${id}/`, `log/${id}0`)) if (key !== '') count += 1;
      return count;
    };
    for (let count = 0; count < limits.ownEntriesMax; count += 1) await a.states.set(id, 'counter', count);
    expect(await rows(a)).toBe(limits.ownEntriesMax);
    await a.states.set(id, 'counter', limits.ownEntriesMax);
    expect(await rows(a)).toBe(1);
    for (let count = limits.ownEntriesMax + 1; count < limits.ownEntriesMax * 3; count += 1)
      await a.states.set(id, 'counter', count);
    await settle(here);
    expect([await rows(a), await rows(b)].every((count) => count <= limits.ownEntriesMax)).toBe(true);
    expect((await b.states.list())[0]?.bytes).toBeLessThan(20_000);
    const c = await join(3, here);
    await a.states.share(id, [c.peer]);
    await settle(here);
    expect(await c.states.values(id)).toEqual({ counter: limits.ownEntriesMax * 3 - 1 });
  });
});
