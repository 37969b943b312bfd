import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createIdentity, sealSigned, utf8 } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import type { CapsuleId, PrivacyLevel } from './capsule.ts';
import { capsuleText } from './draft.ts';
import type { TakeResult } from './keep.ts';
import { memoryLimits as limits } from './limits.ts';
import { openMemory } from './memory.ts';
import { capsuleKey } from './rows.ts';
import { openCapsule, signCapsule } from './signed-capsule.ts';
import { bodyOf, embedderOfTable, memoryDeps, signedBy } from './testing/fixtures.ts';

const { signal } = new AbortController();
const code = (expected: string) => expect.objectContaining({ code: expected });
const other = createIdentity(crypto, seededRandom(50).bytes(32));
const note = (text: string, level: PrivacyLevel = 'public') => ({ text, level });
const firstId = ([first]: readonly TakeResult[]): CapsuleId => (first?.outcome === 'refused' ? '' : (first?.id ?? ''));

describe('A memory', () => {
  it('gives back what was added, and the numbers by their formulas', async () => {
    const memory = await openMemory(memoryDeps(1));
    const card = await memory.add({ ...note('the roof leaks'), tags: ['house', '', ' roof ', 'house'] }, signal);
    expect(card).toMatchObject({ summary: 'the roof leaks', tags: ['house', 'roof'], novelty: 1, importance: 0.2 });
    expect(card).toMatchObject({
      quality: 0.7,
      mine: true,
      uses: 0,
      embedder: 'lexical-hash/1',
      embedderKind: 'lexical',
    });
    const capsule = await memory.get(card.id);
    expect(capsule && capsuleText(capsule)).toBe('the roof leaks');
    const again = await memory.add({ ...note('the roof leaks'), tags: ['a', 'b', 'c', 'd'], surprise: 0.9 }, signal);
    expect(again).toMatchObject({ importance: 1, quality: 0.8 });
    expect(again.novelty).toBeLessThan(0.001);
    expect(await memory.get('0'.repeat(64))).toBeUndefined();
  });

  it('keeps what it acknowledged when it is killed: nothing is asked of it before it is opened again', async () => {
    const deps = memoryDeps(2);
    const memory = await openMemory(deps);
    const mine = await memory.add(note('one', 'personal'), signal);
    const [taken] = await memory.take([signedBy(other)]);
    const gone = await memory.add(note('two'), signal);
    await memory.forget(gone.id);
    await memory.search({ text: 'one' }, signal);
    await memory.close();
    const after = await openMemory({ ...deps, store: deps.store.reopen() });
    expect(after.card(mine.id)).toEqual({ ...mine, uses: 1 });
    expect(taken).toMatchObject({ outcome: 'taken' });
    expect(after.state()).toMatchObject({ capsules: 2, ofOtherPeers: 1, forgotten: 1, damaged: [] });
    expect((await after.search({ text: 'one' }, signal)).hits[0]?.capsule.id).toBe(mine.id);
  });

  it('acknowledges nothing that the store refused, and has nothing of it', async () => {
    const deps = memoryDeps(3);
    const memory = await openMemory(deps);
    deps.store.failNextCommit('STORE_FULL');
    await expect(memory.add(note('lost'), signal)).rejects.toThrow(code('STORE_FULL'));
    expect(memory.list().capsules).toEqual([]);
    const kept = await memory.add(note('kept'), signal);
    deps.store.failNextCommit('STORE_FULL');
    await expect(memory.forget(kept.id)).rejects.toThrow(code('STORE_FULL'));
    expect(memory.card(kept.id)).toBeDefined();
    expect(memory.state().forgotten).toBe(0);
  });

  it('names rows that are cut, altered, swapped or sealed with another secret, and goes on without them', async () => {
    const deps = memoryDeps(4);
    const memory = await openMemory(deps);
    const cards = [];
    for (const text of ['one', 'two', 'three', 'four']) cards.push(await memory.add(note(text), signal));
    const ids = cards.map(({ id }) => id);
    const row = async (place: number) => (await deps.store.get(capsuleKey(ids[place] ?? ''))) ?? new Uint8Array();
    const [first, second, third] = await Promise.all([row(0), row(1), row(2)]);
    const altered = second.slice();
    altered[40] = (altered[40] ?? 0) ^ 1;
    await deps.store.commit([
      deps.store.put(capsuleKey(ids[0] ?? ''), first.slice(0, 30)),
      deps.store.put(capsuleKey(ids[1] ?? ''), altered),
      deps.store.put(capsuleKey(ids[2] ?? ''), await row(3)),
    ]);
    const after = await openMemory(deps);
    expect(new Set(after.state().damaged)).toEqual(new Set(ids.slice(0, 3)));
    expect(after.list().capsules.map(({ id }) => id)).toEqual([ids[3]]);
    expect(await after.forget(ids[0] ?? '')).toBe(true);
    expect(after.state().damaged).toHaveLength(2);
    await deps.store.commit([deps.store.put(capsuleKey(ids[2] ?? ''), third)]);
    expect((await openMemory(deps)).card(ids[2] ?? '')).toBeDefined();
    const elsewhere = await openMemory({ ...deps, secret: seededRandom(99).bytes(32) });
    expect(elsewhere.state()).toMatchObject({ capsules: 0 });
    expect(elsewhere.state().damaged).toHaveLength(3);
  });

  it('writes nothing readable to the disk', async () => {
    const deps = memoryDeps(5);
    const memory = await openMemory(deps);
    await memory.add({ ...note('the password is swordfish', 'personal'), tags: ['swordfish'] }, signal);
    let rows = 0;
    for await (const { value } of deps.store.range('', '\u{10FFFF}')) {
      rows += 1;
      expect(new TextDecoder('latin1').decode(value)).not.toContain('swordfish');
    }
    expect(rows).toBe(1);
  });

  it('is full at its most capsules and bytes, and says so', async () => {
    const memory = await openMemory(memoryDeps(6), { capsulesMax: 3 });
    for (const text of ['one', 'two', 'three']) await memory.add(note(text), signal);
    await expect(memory.add(note('four'), signal)).rejects.toThrow(code('MEMORY_FULL'));
    const { bytes } = memory.state();
    const exact = await openMemory(memoryDeps(6), { bytesMax: bytes });
    for (const text of ['one', 'two', 'three']) await exact.add(note(text), signal);
    const less = await openMemory(memoryDeps(6), { bytesMax: bytes - 1 });
    for (const text of ['one', 'two']) await less.add(note(text), signal);
    await expect(less.add(note('three'), signal)).rejects.toThrow(code('MEMORY_FULL'));
  });

  it('never holds more than this part allows, whatever is asked', async () => {
    const [capsulesMax, tombstonesMax] = [limits.capsulesMax + 1, limits.tombstonesMax + 1];
    const memory = await openMemory(memoryDeps(6), { capsulesMax, tombstonesMax, bytesMax: Infinity });
    const { bytesMax } = limits;
    expect(memory.state()).toMatchObject({ capsulesMax: capsulesMax - 1, tombstonesMax: tombstonesMax - 1, bytesMax });
  });

  it('lists by pages, newest first, and goes on where it was when capsules come and go', async () => {
    const deps = memoryDeps(7);
    const memory = await openMemory(deps);
    const cards = [];
    for (let turn = 0; turn < 7; turn += 1) {
      cards.push(await memory.add({ ...note(`note ${turn}`), tags: [turn % 2 === 0 ? 'even' : 'odd'] }, signal));
      if (turn % 3 === 0) await deps.clock.advance(10);
    }
    const first = memory.list({ limit: 3 });
    expect(first.capsules.map(({ createdMs }) => createdMs)).toEqual(
      cards
        .map(({ createdMs }) => createdMs)
        .toSorted((a, b) => b - a)
        .slice(0, 3),
    );
    const gone = first.capsules[2];
    await memory.forget(gone?.id ?? '');
    await memory.add(note('newer'), signal);
    const second = memory.list({ limit: 4, after: first.next ?? '' });
    expect(second.next).toBeUndefined();
    const listed = [...first.capsules, ...second.capsules].map(({ id }) => id);
    expect(new Set(listed)).toEqual(new Set(cards.map(({ id }) => id)));
    expect(memory.list({ tags: ['odd', ''] }).capsules).toHaveLength(gone?.tags[0] === 'odd' ? 2 : 3);
    expect(memory.list({ tags: [''] }).capsules).toHaveLength(7);
    expect(memory.list({ limit: limits.listCapsulesMax }).capsules).toHaveLength(7);
    for (const limit of [0, 0.5, limits.listCapsulesMax + 1])
      expect(() => memory.list({ limit })).toThrow(code('LIMIT_EXCEEDED'));
    expect(() => memory.list({ after: 'nowhere' })).toThrow(code('INVALID_FORMAT'));
  });

  it('embeds the beginning of a long text, and keeps all of it', async () => {
    const lengths: number[] = [];
    const embedder = {
      ...embedderOfTable({}),
      embed: async (texts: readonly string[]) => texts.map(({ length }) => Float32Array.of(lengths.push(length), 0, 0)),
    };
    const memory = await openMemory(memoryDeps(16, { embedders: [embedder] }));
    for (const length of [limits.embeddedCharsMax, limits.embeddedCharsMax + 1]) {
      const { id } = await memory.add(note('x'.repeat(length)), signal);
      expect((await memory.get(id))?.data).toHaveLength(length);
    }
    expect(lengths).toEqual([limits.embeddedCharsMax, limits.embeddedCharsMax]);
  });

  it('writes counts of uses a while after a search, in one go', async () => {
    const deps = memoryDeps(17);
    const memory = await openMemory(deps);
    await memory.add(note('one'), signal);
    const countsKept = async () => (await openMemory({ ...deps, store: deps.store.copy() })).list().capsules[0]?.uses;
    for (let turn = 0; turn < 3; turn += 1) await memory.search({ text: 'one' }, signal);
    await deps.clock.advance(limits.usesDelayMs - 1);
    expect(await countsKept()).toBe(0);
    await deps.clock.advance(1);
    await expect.poll(countsKept).toBe(3);
  });

  it('refuses what is neither a text nor data, both, or what its embedder cannot place', async () => {
    const wrong = { ...embedderOfTable({}), embed: async () => [Float32Array.of(1, 2)] };
    const memory = await openMemory(memoryDeps(8, { embedders: [wrong] }));
    for (const draft of [{}, { text: 'a', data: utf8('a') }, { text: 'a', surprise: 2 }, { text: 'a' }])
      await expect(memory.add({ level: 'public', ...draft }, signal)).rejects.toThrow(code('INVALID_OPTION'));
    const stopped = AbortSignal.abort();
    await expect((await openMemory(memoryDeps(8))).search({ text: 'a' }, stopped)).resolves.toMatchObject({ hits: [] });
  });
});

describe('Forgetting', () => {
  it('leaves a tombstone: no copy comes back, not after a restart either', async () => {
    const deps = memoryDeps(10);
    const memory = await openMemory(deps);
    const signed = signedBy(other);
    const id = firstId(await memory.take([signed]));
    expect(await memory.forget(id)).toBe(true);
    expect(await memory.forget(id)).toBe(false);
    expect(await memory.get(id)).toBeUndefined();
    expect((await memory.search({ text: 'tomatoes' }, signal)).hits).toEqual([]);
    expect(await memory.take([signed])).toMatchObject([{ outcome: 'refused', code: 'CAPSULE_FORGOTTEN' }]);
    const after = await openMemory({ ...deps, store: deps.store.reopen() });
    expect(await after.take([signed])).toMatchObject([{ outcome: 'refused', code: 'CAPSULE_FORGOTTEN' }]);
  });
});

describe('Tombstones', () => {
  it('are as many as may be; with one more the oldest goes', async () => {
    const deps = memoryDeps(15);
    const memory = await openMemory(deps, { tombstonesMax: 2 });
    const copies = ['a', 'b', 'c'].map((summary) => signedBy(other, { summary }));
    await memory.take(copies);
    for (const { id } of memory.list().capsules) {
      await memory.forget(id);
      await deps.clock.advance(1);
    }
    expect(memory.state().forgotten).toBe(2);
    const after = await openMemory(deps);
    expect(after.state().forgotten).toBe(2);
    expect((await after.take(copies)).filter(({ outcome }) => outcome === 'taken')).toHaveLength(1);
  });
});

describe('Capsules of other peers', () => {
  it('are taken when good, known the second time, and refused one by one with a code', async () => {
    const deps = memoryDeps(11);
    const memory = await openMemory(deps);
    const late = deps.clock.nowMs() + limits.createdAheadMsMax;
    const broken = signedBy(other);
    broken[20] = (broken[20] ?? 0) ^ 1;
    const results = await memory.take([
      signedBy(other),
      signedBy(other),
      broken,
      new Uint8Array(3),
      signedBy(other, { createdMs: late }),
      signedBy(other, { createdMs: late + 1 }),
    ]);
    expect(results.map((result) => (result.outcome === 'refused' ? result.code : result.outcome))).toEqual([
      'taken',
      'known',
      'INVALID_SIGNATURE',
      'INVALID_FORMAT',
      'taken',
      'CLOCK_SKEW',
    ]);
    expect(memory.state()).toMatchObject({ capsules: 2, ofOtherPeers: 2 });
    expect(memory.list().capsules[0]).toMatchObject({ mine: false, author: other.peer });
  });

  it('have half the room at most, and one call brings no more than its limit', async () => {
    const capsulesMax = 4;
    const memory = await openMemory(memoryDeps(12), { capsulesMax });
    const capsules = ['a', 'b', 'c'].map((summary) => signedBy(other, { summary }));
    expect(capsules).toHaveLength(capsulesMax * limits.foreignShareMax + 1);
    expect((await memory.take(capsules)).map(({ outcome }) => outcome)).toEqual(['taken', 'taken', 'refused']);
    await memory.add(note('one'), signal);
    await memory.add(note('two'), signal);
    await expect(memory.add(note('three'), signal)).rejects.toThrow(code('MEMORY_FULL'));
    const many = Array.from({ length: limits.takeCapsulesMax + 1 }, () => new Uint8Array());
    expect(await memory.take(many.slice(1))).toHaveLength(limits.takeCapsulesMax);
    await expect(memory.take(many)).rejects.toThrow(code('LIMIT_EXCEEDED'));
  });

  it('are handed on as they came', async () => {
    const memory = await openMemory(memoryDeps(13));
    const signed = signedBy(other, { level: 'behavioral' });
    const id = firstId(await memory.take([signed]));
    expect(await memory.handOut(id, 'paired')).toEqual(signed);
    await expect(memory.handOut(id, 'anyone')).rejects.toThrow(code('CAPSULE_NOT_SHARED'));
    await expect(memory.handOut('0'.repeat(64), 'anyone')).rejects.toThrow(code('NOT_FOUND'));
  });
});

describe('A personal capsule', () => {
  it('leaves by no way: not handed out, not found by others, not in any row, taken from no other owner', async () => {
    const deps = memoryDeps(14);
    const memory = await openMemory(deps);
    const { id } = await memory.add(note('my secret diary', 'personal'), signal);
    for (const audience of ['paired', 'anyone', 'self'] as const)
      await expect(memory.handOut(id, audience as 'anyone')).rejects.toThrow(code('CAPSULE_PERSONAL'));
    for (const audience of ['paired', 'anyone'] as const) {
      expect((await memory.search({ text: 'my secret diary', audience }, signal)).hits).toEqual([]);
      expect(memory.list({ audience }).capsules).toEqual([]);
    }
    expect((await memory.search({ text: 'my secret diary' }, signal)).hits).toHaveLength(1);
    for await (const { value } of deps.store.range('', '\u{10FFFF}'))
      expect(() => openCapsule(crypto, value)).toThrow();
    const { parts } = signCapsule(crypto, other, bodyOf({ level: 'personal' }));
    expect(await memory.take([sealSigned(other, 'peerai/capsule/1', parts.body)])).toMatchObject([
      { outcome: 'refused', code: 'CAPSULE_PERSONAL' },
    ]);
  });
});

describe('Devices of one owner', () => {
  it('take each other’s personal capsules, and what one forgot is buried at the other, also unseen', async () => {
    const [desk, phone] = [await openMemory(memoryDeps(15)), await openMemory({ ...memoryDeps(16), identity: other })];
    const [kept, gone] = [await desk.add(note('diary', 'personal'), signal), await desk.add(note('draft'), signal)];
    const signed = await Promise.all([kept.id, gone.id].map((id) => desk.handOut(id, 'own')));
    expect(await phone.takeOwn(signed)).toMatchObject([{ outcome: 'taken' }, { outcome: 'taken' }]);
    expect(phone.card(kept.id)).toMatchObject({ level: 'personal', mine: false });
    await expect(phone.handOut(kept.id, 'paired')).rejects.toThrow(code('CAPSULE_PERSONAL'));
    await desk.forget(gone.id);
    const unseen = '7'.repeat(64);
    expect(desk.forgotten()).toEqual([gone.id]);
    expect(await phone.bury([gone.id, unseen])).toEqual([gone.id]);
    expect(phone.forgotten()).toEqual([gone.id, unseen]);
    expect(await phone.takeOwn(signed.slice(1))).toMatchObject([{ code: 'CAPSULE_FORGOTTEN' }]);
    const many = Array.from({ length: limits.takeCapsulesMax + 1 }, () => unseen);
    expect(await phone.bury(many.slice(1))).toEqual([]);
    await expect(phone.bury(many)).rejects.toThrow(code('LIMIT_EXCEEDED'));
  });

  it('do not bring back what a consolidation here took away', async () => {
    const [desk, deps] = [await openMemory(memoryDeps(17)), memoryDeps(18)];
    const phone = await openMemory({ ...deps, identity: other });
    const { id } = await desk.add(note('old'), signal);
    const signed = [await desk.handOut(id, 'own')];
    await phone.takeOwn(signed);
    await phone.consolidate(signal, { expireAfterMs: -1 });
    expect(phone.card(id)).toBeUndefined();
    expect(await phone.takeOwn(signed)).toMatchObject([{ outcome: 'known' }]);
    expect(phone.card(id)).toBeUndefined();
  });
});
