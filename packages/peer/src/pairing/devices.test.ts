import { createIdentity, nobleCrypto, type PeerId } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { slowStore } from '../testing/slow-store.ts';
import { cleanName, type Device, freeName, noteHybrid, openDevices } from './devices.ts';

const peerOf = (seed: number): PeerId => createIdentity(nobleCrypto, seededRandom(seed).bytes(32)).peer;
const device = (peer: PeerId, name: string): Device => ({
  peer,
  name,
  allow: ['chat'],
  blocked: false,
  lease: '0123456789abcdef',
  pairedMs: 1,
  lastSeenMs: 1,
  addresses: [],
});

describe('a name', () => {
  test.each([
    ['laptop', 'laptop'],
    ['Anna’s  work laptop', 'Annas-work-laptop'],
    ['  a\tb ', 'a-b'],
    ['a\u0000\u001B[31mb\u202Ec\u200B\uFEFF\u2028', 'a31mbc'],
    ['model@me/../x', 'modelme..x'],
    ['x;curl$IFS`evil`|sh', 'xcurlIFSevilsh'],
    ['--help', 'help'],
    ['../..', 'device'],
    ['Büro-Рабочий-研究', 'Büro-Рабочий-研究'],
    ['', 'device'],
    ['🏠', 'device'],
  ])('of %j becomes %j', (text, name) => expect(cleanName(text)).toBe(name));

  test('has at most its limit of characters', () => {
    expect(cleanName('n'.repeat(limits.nameCharsMax))).toHaveLength(limits.nameCharsMax);
    expect(cleanName('n'.repeat(limits.nameCharsMax + 1))).toHaveLength(limits.nameCharsMax);
  });

  test('whatever came in, is safe in a terminal and in a command, and clean already', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0x10_ff_ff }), { maxLength: 60 }), (points) => {
        const name = cleanName(String.fromCodePoint(...points));
        expect(name).toMatch(/^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*$/u);
        expect(cleanName(name)).toBe(name);
      }),
    );
  });

  test('that is taken gets a number, also when it is our own', async () => {
    const devices = await openDevices(new MemoryStore());
    const add = (seed: number) =>
      devices.update(peerOf(seed), () => device(peerOf(seed), freeName(devices, 'study-pc', 'laptop', peerOf(seed))));
    for (const seed of [1, 2, 3]) await add(seed);
    expect(devices.list().map(({ name }) => name)).toEqual(['laptop', 'laptop-2', 'laptop-3']);
    expect(freeName(devices, 'study-pc', 'laptop', peerOf(2))).toBe('laptop-2');
    expect(freeName(devices, 'study-pc', 'study-pc', peerOf(9))).toBe('study-pc-2');
  });
});

describe('devices', () => {
  test('are found by name, by id and by its beginning, and never by what fits two', async () => {
    const devices = await openDevices(new MemoryStore());
    for (const [seed, name] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'b'],
    ] as const)
      await devices.update(peerOf(seed), () => device(peerOf(seed), name));
    expect(devices.find('a').peer).toBe(peerOf(1));
    expect(devices.find(peerOf(2)).peer).toBe(peerOf(2));
    for (const text of ['b', 'nobody', peerOf(1).slice(0, 8)])
      expect(() => devices.find(text)).toThrow(expect.objectContaining({ code: 'DEVICE_UNKNOWN' }) as Error);
    expect(() => devices.find('nobody')).toThrow('no paired device is called "nobody"; there are a, b, b');
  });

  test('one that is not there is answered with the names there are, at most eight', async () => {
    const devices = await openDevices(new MemoryStore());
    expect(() => devices.find('nobody')).toThrow('no device is paired yet, so none is called "nobody"');
    await devices.update(peerOf(0), () => device(peerOf(0), 'd0'));
    expect(() => devices.find('nobody')).toThrow('no paired device is called "nobody"; there is d0');
    for (let seed = 1; seed < 9; seed += 1) await devices.update(peerOf(seed), () => device(peerOf(seed), `d${seed}`));
    expect(() => devices.find('nobody')).toThrow(/; there are d0, d1, d2, d3, d4, d5, d6, d7 and 1 more$/);
  });

  test('as many as the limit says can be paired, one more is refused, and known ones still change', async () => {
    const devices = await openDevices(new MemoryStore());
    const idOf = (place: number): PeerId => `peer-${place}` as PeerId;
    const [first, more] = [idOf(0), idOf(limits.devicesMax)];
    const ids = Array.from({ length: limits.devicesMax }, (_, place) => idOf(place));
    for (const id of ids) await devices.update(id, () => device(id, id));
    await expect(devices.update(more, (now) => now ?? device(more, 'more'))).rejects.toMatchObject({
      code: 'TOO_MANY_DEVICES',
    });
    await devices.update(first, (now) => now && { ...now, name: 'first' });
    expect(devices.list()).toHaveLength(limits.devicesMax);
    await devices.remove(first);
    await devices.update(more, () => device(more, 'more'));
  });

  test('keep a block that came while a hello was being written, and the other way round', async () => {
    const [clock, file, peer] = [new ManualClock(), new MemoryStore(), peerOf(1)];
    const devices = await openDevices(slowStore(file, clock, 20));
    await clock.until(devices.update(peer, () => device(peer, 'laptop')));
    const hello = () => devices.update(peer, (now) => now && { ...now, lastSeenMs: 99 });
    const block = () => devices.update(peer, (now) => now && { ...now, blocked: true });
    await clock.until(Promise.all([block(), hello()]));
    expect(devices.get(peer)).toMatchObject({ blocked: true, lastSeenMs: 99 });
    expect((await openDevices(file)).get(peer)).toEqual(devices.get(peer));
  });

  test('that are removed stay removed when a hello comes late', async () => {
    const [clock, file, peer] = [new ManualClock(), new MemoryStore(), peerOf(1)];
    const devices = await openDevices(slowStore(file, clock, 20));
    await clock.until(devices.update(peer, () => device(peer, 'laptop')));
    const hello = devices.remove(peer).then(() => devices.update(peer, (now) => now && { ...now, lastSeenMs: 99 }));
    const early = devices.update(peer, (now) => now && { ...now, lastSeenMs: 98 });
    await clock.until(Promise.all([hello, early]));
    expect([devices.list(), (await openDevices(file)).list()]).toEqual([[], []]);
  });

  test('are as the disk has them when a commit fails', async () => {
    const store = new MemoryStore();
    const devices = await openDevices(store);
    const peer = peerOf(1);
    store.failNextCommit('STORE_FULL');
    await expect(devices.update(peer, () => device(peer, 'laptop'))).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(devices.list()).toEqual([]);
    await devices.update(peer, () => device(peer, 'laptop'));
    store.failNextCommit('STORE_FULL');
    await expect(devices.remove(peer)).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(devices.get(peer)?.name).toBe('laptop');
  });
});

test('that its link was sealed is kept over restarts, beside what else is known, and only of devices', async () => {
  const store = new MemoryStore();
  const devices = await openDevices(store);
  const [known, stranger] = [peerOf(1), peerOf(2)];
  await devices.update(known, () => device(known, 'laptop'));
  for (const peer of [known, stranger, known]) await noteHybrid(devices, peer);
  expect((await openDevices(store)).list()).toEqual([{ ...device(known, 'laptop'), hybrid: true }]);
});
