import { callMethod, type PeerId, serveMethod, toHex, utf8 } from '@peerai/core-protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MessageWorld, messageWorld, place, type RelayWorld, relayWorld } from '../../test/world.ts';
import { mailboxLimits } from './limits.ts';
import { mailboxMethod } from './protocol.ts';

const text = (to: PeerId, payload: unknown = 'hello') => ({ to, kind: 'text', payload });
const hour = 3_600_000;

/** Two peers that have met, and a relay that keeps letters for both. */
async function three(options: { readonly lossRate?: number; readonly seed?: number } = {}) {
  const here = place(options);
  const relay = await relayWorld(9, here);
  const relays = [relay.address];
  const [a, b] = [await messageWorld(1, here, { relays }), await messageWorld(2, here, { relays })];
  await meet(here, a, b);
  return { here, relay, relays, a, b };
}
/** A message over the link: records are exchanged when it comes up. */
async function meet({ clock }: ReturnType<typeof place>, a: MessageWorld, b: MessageWorld): Promise<void> {
  await clock.advance(1_000);
  await a.messenger.send(text(b.identity.peer, 'met'));
  await clock.advance(1_000);
}

test('a peer that is stopped finds three letters of a peer that is stopped, in order, once', async () => {
  const { here, relay, relays, a, b } = await three();
  b.die();
  const ids: string[] = [];
  for (const number of [1, 2, 3]) ids.push(await a.messenger.send(text(b.identity.peer, number)));
  await here.clock.advance(2_000);
  for (const id of ids) expect(await a.messenger.status(id)).toMatchObject({ state: 'queued', path: 'mailbox' });
  expect(relay.keeper.stats()).toMatchObject({ letters: 3 });
  a.die();
  const again = await messageWorld(2, here, { relays, store: b.store.reopen() });
  await here.clock.advance(2_000);
  expect(await again.texts()).toEqual(['"met"', '1', '2', '3']);
  // What lies there now are the receipts for a.
  expect(relay.keeper.stats()).toMatchObject({ letters: 3 });
  const back = await messageWorld(1, here, { relays, store: a.store.reopen() });
  again.die();
  await here.clock.advance(60_000);
  for (const id of ids) expect(await back.messenger.status(id)).toMatchObject({ state: 'delivered', path: 'mailbox' });
  expect(back.outcomes).toHaveLength(3);
  expect(await back.messenger.waiting()).toBe(0);
  expect(relay.keeper.stats()).toMatchObject({ letters: 0, bytes: 0 });
});

test('a relay named later keeps letters too; once it is named no more it is looked into once, and in no record', async () => {
  const here = place();
  const [first, second] = [await relayWorld(8, here), await relayWorld(9, here)];
  let named: readonly string[] = [first.address];
  const b = await messageWorld(2, here, { relays: () => named });
  const a = await messageWorld(1, here, { relays: [first.address] });
  await meet(here, a, b);
  const boxes = () => a.mailbox?.records.get(b.identity.peer)?.mailboxes;
  expect(boxes()).toEqual([first.address]);
  named = [first.address, second.address];
  await here.clock.advance(mailboxLimits.lookEveryMs);
  expect([second.keeper.stats().registrations, boxes()]).toEqual([1, named]);
  // The first takes no letter: it is left at the second, and taken in the look that is the last.
  here.networks.cut(a.identity.peer, first.identity.peer);
  here.networks.cut(a.identity.peer, b.identity.peer);
  here.networks.cut(b.identity.peer, second.identity.peer);
  await a.messenger.send(text(b.identity.peer, 'left'));
  await here.clock.advance(mailboxLimits.lookEveryMs * 2);
  expect(second.keeper.stats().letters).toBe(1);
  named = [first.address];
  here.networks.heal(b.identity.peer, second.identity.peer);
  await here.clock.advance(mailboxLimits.lookEveryMs * 2);
  expect(await b.texts()).toEqual(['"met"', '"left"']);
  expect(b.mailbox?.places()).toEqual([first.address]);
  here.networks.heal(a.identity.peer, b.identity.peer);
  await a.messenger.send(text(b.identity.peer, 'direct'));
  await here.clock.advance(mailboxLimits.lookEveryMs * 4);
  expect(boxes()).toEqual([first.address]);
});

test('a letter that goes both ways is handled once, and its order is kept', async () => {
  const { here, relays, a, b } = await three();
  b.die();
  for (const number of [1, 2]) await a.messenger.send(text(b.identity.peer, number));
  await here.clock.advance(2_000);
  const again = await messageWorld(2, here, { relays, store: b.store.reopen() });
  await a.messenger.send(text(b.identity.peer, 3));
  await here.clock.advance(120_000);
  expect(await again.texts()).toEqual(['"met"', '1', '2', '3']);
  expect(a.outcomes.map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered', 'delivered']);
  expect(await a.messenger.waiting()).toBe(0);
});

test('a letter whose forerunner the relay has lost waits for it', async () => {
  const { here, relay, relays, a, b } = await three();
  b.die();
  for (const number of [1, 2]) await a.messenger.send(text(b.identity.peer, number));
  await here.clock.advance(2_000);
  // The first is gone: as if the relay had thrown it away.
  const [first] = await Array.fromAsync(relay.store.range('box/', 'box0'));
  await relay.store.commit([relay.store.put(first?.key ?? '')]);
  a.die();
  const again = await messageWorld(2, here, { relays, store: b.store.reopen() });
  await here.clock.advance(300_000);
  expect(await again.texts()).toEqual(['"met"']);
  await messageWorld(1, here, { relays, store: a.store.reopen() });
  await here.clock.advance(120_000);
  expect(await again.texts()).toEqual(['"met"', '1', '2']);
});

test('a letter that is refused does not hold up the next, and its sender learns of it', async () => {
  const { here, relays, a, b } = await three();
  b.die();
  const id = await a.messenger.send({ to: b.identity.peer, kind: 'riddle', payload: 1 });
  await a.messenger.send(text(b.identity.peer, 2));
  await here.clock.advance(2_000);
  here.networks.cut(a.identity.peer, b.identity.peer);
  const again = await messageWorld(2, here, { relays, store: b.store.reopen() });
  await here.clock.advance(120_000);
  expect(await again.texts()).toEqual(['"met"', '2']);
  expect(await a.messenger.status(id)).toMatchObject({ state: 'refused', code: 'UNKNOWN_KIND', path: 'mailbox' });
});

test('the relay can tell neither what is in a letter nor who sent it, in its rows and in its memory', async () => {
  const { here, relay, a, b } = await three();
  b.die();
  const secret = 'the plainest of plain texts';
  const id = await a.messenger.send(text(b.identity.peer, secret));
  await here.clock.advance(2_000);
  expect(relay.keeper.stats().letters).toBe(1);
  const rows = await Array.fromAsync(relay.store.range('', '\u{10ffff}'));
  const whole = rows.map(({ key, value }) => `${toHex(utf8(key))} ${toHex(value)}`).join('\n');
  // It knows a as a peer with a mailbox of its own; in what is kept for b there is nothing of a.
  const box = rows.filter(({ key }) => key.startsWith('box/'));
  expect(box.every(({ key }) => key.includes(b.identity.peer))).toBe(true);
  const boxText = box.map(({ key, value }) => `${toHex(utf8(key))} ${toHex(value)}`).join('\n');
  for (const known of [secret, JSON.stringify(secret), id, 'text']) expect(whole).not.toContain(toHex(utf8(known)));
  expect(boxText).not.toContain(toHex(utf8(a.identity.peer)));
  expect(boxText).not.toContain(toHex(a.identity.publicKey));
});

test('a stranger leaves nothing in a box that its owner takes, and nothing that is not sealed', async () => {
  const { here, relay, relays, a, b } = await three();
  const isFriend = (peer: PeerId): boolean => peer !== a.identity.peer;
  b.die();
  await a.messenger.send(text(b.identity.peer, 1));
  await here.clock.advance(2_000);
  here.networks.cut(a.identity.peer, b.identity.peer);
  const again = await messageWorld(2, here, { relays, store: b.store.reopen(), isFriend });
  await here.clock.advance(2_000);
  expect(await again.texts()).toEqual(['"met"']);
  expect(relay.keeper.stats().letters).toBe(0);
  const leave = (letter: Uint8Array) =>
    callMethod(
      a,
      relay.identity.peer,
      mailboxMethod,
      { verb: 'leave', to: b.identity.peer, letter, after: undefined, done: [] },
      { signal: new AbortController().signal },
    );
  await expect(leave(new Uint8Array(1_000))).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
});

test('after 72 hours the relay forgets a letter and its sender leaves it again; one with a longer life gets there', async () => {
  const { here, relay, relays, a, b } = await three();
  b.die();
  const expiresMs = here.clock.nowMs() + 200 * hour;
  await a.messenger.send({ ...text(b.identity.peer, 1), expiresMs });
  await here.clock.advance(mailboxLimits.keptMs - hour);
  expect(relay.keeper.stats().letters).toBe(1);
  await here.clock.advance(2 * hour);
  expect(relay.keeper.stats().letters).toBe(1);
  a.die();
  const again = await messageWorld(2, here, { relays, store: b.store.reopen() });
  await here.clock.advance(2_000);
  expect(await again.texts()).toEqual(['"met"', '1']);
}, 60_000);

describe('with restarts of each and letters that the line loses', () => {
  test('nothing acknowledged is lost, nothing comes twice, the order is kept', async () => {
    const step = fc.constantFrom('send', 'send', 'send', 'wait', 'a', 'b', 'relay', 'cut', 'heal', 'b off');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.nat(1_000), async (steps, seed) => {
        const here = place({ lossRate: 0.1, seed });
        let relay: RelayWorld = await relayWorld(9, here);
        const relays = [relay.address];
        let [a, b] = [await messageWorld(1, here, { relays }), await messageWorld(2, here, { relays })];
        await here.clock.advance(5_000);
        let sent = 0;
        for (const one of [...steps, 'heal', 'b'] as const) {
          if (one === 'send') await a.messenger.send(text(b.identity.peer, sent++));
          else if (one === 'wait') await here.clock.advance(3_000);
          else if (one === 'cut') here.networks.cut(a.identity.peer, b.identity.peer);
          else if (one === 'heal') here.networks.heal(a.identity.peer, b.identity.peer);
          else if (one === 'b off') b.die();
          else if (one === 'a') {
            a.die();
            a = await messageWorld(1, here, { relays, store: a.store.reopen() });
          } else if (one === 'b') {
            b.die();
            b = await messageWorld(2, here, { relays, store: b.store.reopen() });
          } else {
            relay.die();
            relay = await relayWorld(9, here, { store: relay.store.reopen() });
          }
        }
        await here.clock.advance(600_000);
        expect(await b.texts()).toEqual(Array.from({ length: sent }, (_, number) => String(number)));
        expect(await a.messenger.waiting()).toBe(0);
        a.die();
        b.die();
        relay.die();
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});

test('a relay that is ours no more and says nothing is waited for so long before it is let go', async () => {
  const here = place();
  const relay = await relayWorld(9, here);
  let named: readonly string[] = [relay.address];
  const b = await messageWorld(2, here, { relays: () => named });
  await here.clock.advance(1_000);
  relay.die();
  const silent = here.networks.join(relay.identity.peer, { isGranted: () => true });
  let askedMs = 0;
  serveMethod(silent, mailboxMethod, () => {
    askedMs = here.clock.elapsedMs();
    return new Promise(() => undefined);
  });
  let leftMs = 0;
  b.network.disconnect = async () => void (leftMs = here.clock.elapsedMs());
  named = [];
  await here.clock.advance(mailboxLimits.lookEveryMs + mailboxLimits.lastLookMs);
  expect(askedMs).toBeGreaterThan(0);
  expect(leftMs - askedMs).toBe(mailboxLimits.lastLookMs);
  b.die();
});
