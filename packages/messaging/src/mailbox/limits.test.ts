import { createIdentity, openRecord, type PeerId, signRecord } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { messageWorld, place, relayWorld } from '../../test/world.ts';
import { collect, under } from '../rows.ts';
import { sealedLimits } from '../sealed/limits.ts';
import { mailboxLimits } from './limits.ts';
import { mailboxMethod } from './protocol.ts';
import { createSenderCount } from './sender-count.ts';

test('so many senders are counted, and one more makes the window start anew for all', () => {
  const allow = createSenderCount({ clock: new ManualClock(), crypto, random: seededRandom(1) });
  const name = (count: number): PeerId => `peer ${count}` as PeerId;
  const isLetIn = (from: PeerId): boolean => {
    try {
      allow(from);
      return true;
    } catch {
      return false;
    }
  };
  for (let count = 0; count < mailboxLimits.depositsPerWindowMax; count += 1) expect(isLetIn(name(0))).toBe(true);
  for (let count = 1; count < mailboxLimits.sendersCountedMax - 1; count += 1) allow(name(count));
  // One less than the limit is counted now.
  expect(isLetIn(name(0))).toBe(false);
  allow(name(mailboxLimits.sendersCountedMax - 1));
  expect(isLetIn(name(0))).toBe(true);
});

test('one question asks for so many removals and no more', () => {
  const question = (count: number) =>
    mailboxMethod.request.encode({
      verb: 'next',
      to: undefined,
      letter: undefined,
      after: undefined,
      done: Array.from({ length: count }, (_, at) => at),
    });
  const most = mailboxLimits.donePerQuestionMax;
  expect(mailboxMethod.request.decode(question(most)).done).toHaveLength(most);
  const read = (count: number) => () => mailboxMethod.request.decode(question(count));
  expect(read(most + 1)).toThrow(expect.objectContaining({ code: expect.stringMatching(/LIMIT|INVALID/) as string }));
});

test('records of so many peers are kept, the oldest is forgotten, and not more come back after a restart', async () => {
  const here = place();
  const one = await messageWorld(1, here, { relays: [] });
  const others = Array.from({ length: mailboxLimits.recordsKeptMax + 1 }, (_, at) =>
    createIdentity(crypto, seededRandom(5_000 + at).bytes(32)),
  );
  const record = {
    addresses: [],
    name: 'x',
    sequence: 1,
    expiresMs: here.clock.nowMs() + 60_000,
    models: [],
    agent: 'test/1',
  };
  const records = one.mailbox?.records;
  const isKept = (at: number): boolean => records?.get(others[at]?.peer ?? ('' as PeerId)) !== undefined;
  for (const [at, other] of others.entries()) {
    if (at === mailboxLimits.recordsKeptMax) expect([isKept(0), isKept(1)]).toEqual([true, true]);
    await records?.learn(signRecord(other, record));
  }
  expect([isKept(0), isKept(1), isKept(mailboxLimits.recordsKeptMax)]).toEqual([false, true, true]);
  const rows = await collect(one.store.room('mailbox').range(...under('record')));
  expect(rows).toHaveLength(mailboxLimits.recordsKeptMax);
}, 30_000);

test('so many refused letters are remembered; the letter after the last remembered one is refused and not remembered', async () => {
  const here = place();
  const relays = [(await relayWorld(9, here)).address];
  const [a, b] = [await messageWorld(1, here, { relays }), await messageWorld(2, here, { relays })];
  await here.clock.advance(1_000);
  await a.messenger.send({ to: b.identity.peer, kind: 'text', payload: 'met' });
  await here.clock.advance(1_000);
  b.die();
  const store = b.store.reopen();
  const room = store.room('mailbox');
  // As the taker writes them: field 1, when the letter expires.
  const mark = Uint8Array.of(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07);
  const known = Array.from({ length: mailboxLimits.refusedKeptMax - 1 }, (_, at) => room.put(`refused/x/${at}`, mark));
  await room.commit(known);
  for (const kind of ['riddle', 'puzzle']) await a.messenger.send({ to: b.identity.peer, kind, payload: 1 });
  await here.clock.advance(2_000);
  await messageWorld(2, here, { relays, store });
  await here.clock.advance(60_000);
  expect(a.outcomes.map(({ state, code }) => [state, code])).toEqual([
    ['delivered', undefined],
    ['refused', 'UNKNOWN_KIND'],
    ['refused', 'UNKNOWN_KIND'],
  ]);
  const refused = (await collect(room.range(...under('refused')))).map(({ key }) => key);
  expect(refused).toHaveLength(mailboxLimits.refusedKeptMax);
  expect(refused.filter((key) => !key.startsWith('refused/x/'))).toHaveLength(1);
}, 30_000);

test('a record of ours lives `recordLifeMs`, and a new one is made when half of it is over', async () => {
  const here = place();
  const { mailbox } = await messageWorld(1, here, { relays: [] });
  const own = async () => {
    const sealed = (await mailbox?.records.own()) ?? new Uint8Array();
    return openRecord(crypto, sealed, here.clock.nowMs());
  };
  const first = await own();
  expect(first.expiresMs - here.clock.nowMs()).toBe(sealedLimits.recordLifeMs);
  await here.clock.advance(sealedLimits.recordLifeMs / 2 - 1);
  expect(await own()).toEqual(first);
  await here.clock.advance(1);
  const second = await own();
  expect(second.expiresMs - here.clock.nowMs()).toBe(sealedLimits.recordLifeMs);
  expect(second.sequence).toBeGreaterThan(first.sequence);
});
