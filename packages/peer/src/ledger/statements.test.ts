import { fromHex, nobleCrypto, toHex, utf8 } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { messageHash } from './message-statement.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
async function couple() {
  const world = testWorld();
  const [anna, ben] = [await world.peer('anna', { seed: 1 }), await world.peer('ben', { seed: 2 })];
  started.push(anna, ben);
  await pair(world, anna, ben);
  return { world, anna, ben };
}
const said = async ({ peer }: TestPeer) =>
  (await peer.books.entries({ limit: 500 })).entries.flatMap(({ message }) => (message === undefined ? [] : [message]));
const entriesOf = async ({ peer }: TestPeer) => (await peer.books.entries({ limit: 500 })).entries;

describe('a delivered message', () => {
  test('leaves one hash in both logs, the same, with no text; one that waits leaves none until it is there', async () => {
    const { world, anna, ben } = await couple();
    const sent = await world.clock.until(anna.peer.messages.deliver('ben', 'text', 'a secret word'));
    await until(world.clock, async () => (await said(anna)).length === 1 && (await said(ben)).length === 1);
    const [[mine], [theirs]] = [await said(anna), await said(ben)];
    expect([mine?.direction, theirs?.direction]).toEqual(['sent', 'received']);
    expect(mine?.hash).toBe(theirs?.hash);
    const facts = {
      id: sent.id,
      from: anna.identity.peer,
      to: ben.identity.peer,
      kind: 'text',
      payload: 'a secret word',
    };
    expect(toHex(messageHash(nobleCrypto, facts))).toBe(mine?.hash);
    const other = toHex(messageHash(nobleCrypto, { ...facts, payload: 'a secret word!' }));
    expect(other).not.toBe(mine?.hash);
    const page = await ben.peer.logs.page(undefined, 0, 500);
    const raw = page.entries.map((entry) => Buffer.from(entry, 'base64url').toString('latin1')).join('');
    expect(raw).toContain(Buffer.from(fromHex(mine?.hash ?? '')).toString('latin1'));
    expect(raw).not.toContain('secret');

    const store = world.kill(ben);
    await anna.peer.messages.deliver('ben', 'text', 'later', 'normal', true);
    expect(await said(anna)).toHaveLength(1);
    const back = await world.peer('ben', { seed: 2, store });
    started.push(back);
    await until(world.clock, async () => (await said(anna)).length === 2 && (await said(back)).length === 2);
    expect(await back.peer.books.verify()).toMatchObject({ ok: true, size: (await entriesOf(back)).length });
  });

  test('is said once, also when the process ends between the message and its entry', async () => {
    const { world, anna, ben } = await couple();
    await world.clock.until(anna.peer.messages.deliver('ben', 'text', 'one'));
    await until(world.clock, async () => (await said(ben)).length === 1);
    // As a crash would leave it: the message is taken, and what is to be said of it is still due.
    const [{ hash } = { hash: '' }] = await said(ben);
    const store = world.kill(ben);
    const room = store.room('statements');
    await room.commit([room.put('due/received-again', new TextEncoder().encode(JSON.stringify({ hash })))]);
    const back = await world.peer('ben', { seed: 2, store });
    started.push(back);
    await until(world.clock, async () => (await said(back)).length === 2);
    expect(await Array.fromAsync(store.room('statements').range('', '\u{10ffff}'))).toEqual([]);
  });

  test('is found missing when the kept text was changed or put in, and its entry when it was taken away', async () => {
    const { world, anna, ben } = await couple();
    for (const text of ['one', 'two']) await world.clock.until(anna.peer.messages.deliver('ben', 'text', text));
    await until(world.clock, async () => (await said(ben)).length === 2);
    const check = () => ben.peer.logs.checkMessages(live());
    expect(await check()).toEqual({
      v: 1,
      ok: true,
      kept: 2,
      received: 2,
      sent: 0,
      missing: [],
      older: 0,
      notKept: 0,
      dropped: [],
    });
    expect(await anna.peer.logs.checkMessages(live())).toMatchObject({ ok: true, kept: 0, sent: 2 });
    // The very first too, and whatever it then says of when it was sent: its sender chose that.
    const first = (await ben.peer.messages.list()).at(-1);
    const facts = { id: '', from: '', kind: '', payload: '', ...first, to: ben.identity.peer };
    const hash = toHex(messageHash(nobleCrypto, facts));
    const place = (await entriesOf(ben)).findIndex(({ message }) => message?.hash === hash);
    const room = ben.store.room('messages');
    const [row] = await Array.fromAsync(room.range('in/', 'in0', { limit: 1 }));
    for (const sentMs of [first?.sentMs, 0]) {
      const changed = { ...first, payload: 'another word', sentMs };
      await room.commit([room.put(row?.key ?? '', utf8(JSON.stringify(changed)))]);
      expect(await check()).toMatchObject({
        ok: false,
        missing: [first?.id],
        notKept: 1,
        dropped: [place],
      });
    }
    await room.commit([room.put(row?.key ?? '')]);
    expect(await check()).toMatchObject({
      ok: false,
      kept: 1,
      received: 2,
      missing: [],
      dropped: [place],
    });
  });
});
