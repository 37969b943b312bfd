import { callMethod, type PeerId, toHex, utf8 } from '@peerai/core-protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MessageWorld, messageWorld, type Place, place } from '../../test/world.ts';
import { openSealed, sealTo } from '../sealed/seal.ts';
import { routeLimits } from './limits.ts';
import { layerCodec, routeMethod } from './protocol.ts';

const text = (to: PeerId, payload: unknown = 'hello') => ({ to, kind: 'text', payload });
const signal = new AbortController().signal;
const options = { relays: [], mayRoute: () => true };

/** So many peers in a row: each has a link to the next, and knows the first and the last, with whom it has met. */
async function row(count: number, here: Place = place(), mayRoute: (seed: number) => boolean = () => true) {
  const peers: MessageWorld[] = [];
  for (let seed = 0; seed < count; seed += 1) {
    peers.push(await messageWorld(seed + 1, here, { ...options, mayRoute: () => mayRoute(seed) }));
  }
  for (const [index, one] of peers.entries())
    for (const other of peers.slice(index + 2)) here.networks.cut(one.identity.peer, other.identity.peer);
  await here.clock.advance(0);
  for (const [index, one] of peers.entries()) {
    const next = peers[index + 1];
    if (next !== undefined) await one.messenger.send(text(next.identity.peer, 'met'));
  }
  // Each look of a neighbour brings paths one link longer.
  await here.clock.advance(routeLimits.askEveryMs * count);
  return { here, peers, first: at(peers, 0), last: at(peers, count - 1) };
}
function at(peers: readonly MessageWorld[], index: number): MessageWorld {
  const one = peers[index];
  if (one === undefined) throw new Error(`there are ${peers.length} peers`);
  return one;
}
const received = async (one: MessageWorld): Promise<string[]> => (await one.texts()).filter((it) => it !== '"met"');

test('a letter goes through three peers that forward it, and the answer of the last comes back', async () => {
  const { here, peers, first, last } = await row(5);
  expect(first.router?.paths.to(last.identity.peer).map(({ peers: way }) => way)).toEqual([
    peers.slice(1).map(({ identity }) => identity.peer),
  ]);
  const id = await first.messenger.send(text(last.identity.peer, 'far away'));
  await here.clock.advance(5_000);
  expect(await received(last)).toEqual(['"far away"']);
  for (const between of peers.slice(1, -1)) expect(await received(between)).toEqual([]);
  expect(await first.messenger.status(id)).toMatchObject({ state: 'delivered', path: 'route' });
  const refused = await first.messenger.send({ to: last.identity.peer, kind: 'riddle', payload: 1 });
  await here.clock.advance(5_000);
  expect(await first.messenger.status(refused)).toMatchObject({
    state: 'refused',
    code: 'UNKNOWN_KIND',
    path: 'route',
  });
});

test('no path is longer than five links', async () => {
  const { peers, first } = await row(7);
  const reached = peers.map(({ identity }) => first.router?.paths.to(identity.peer).length ?? 0);
  expect(reached).toEqual([0, 0, 1, 1, 1, 1, 0]);
});

test('a peer without the right is forwarded for by nobody, and is told nothing', async () => {
  const { here, peers, first, last } = await row(3, place(), (seed) => seed !== 1);
  expect(first.router?.paths.best()).toEqual([]);
  const id = await first.messenger.send(text(last.identity.peer));
  await here.clock.advance(60_000);
  expect(await first.messenger.status(id)).toMatchObject({ state: 'queued', code: 'PEER_UNREACHABLE' });
  const between = at(peers, 1);
  const layer = await layerFor(between, { next: last.identity.peer, inner: utf8('x') });
  await expect(give(first, between, layer)).rejects.toMatchObject({ code: 'ROUTE_REFUSED' });
});

/** A layer for one peer, as anybody can make it. */
async function layerFor(to: MessageWorld, fields: { next?: PeerId; inner: Uint8Array }): Promise<Uint8Array> {
  const key = await to.mailbox?.keyring.current();
  const layer = layerCodec.encode({ next: fields.next, answerKey: undefined, inner: fields.inner });
  return sealTo(to, key?.publicKey ?? new Uint8Array(), layer, 'hop');
}
const give = (from: MessageWorld, to: MessageWorld, layer: Uint8Array, hopsLeft = 1, timeMs = 20_000) =>
  callMethod(from, to.identity.peer, routeMethod, { hopsLeft, timeMs, layer }, { signal });

describe('a hop refuses', () => {
  test('what has been there, what turns back, what has no links or time left, and what is too long', async () => {
    const { peers, first, last } = await row(3);
    const between = at(peers, 1);
    let count = 0;
    const to = (next: PeerId): Promise<Uint8Array> => layerFor(between, { next, inner: utf8(`x${count++}`) });
    const twice = await to(last.identity.peer);
    await expect(give(first, between, twice)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    await expect(give(first, between, twice)).rejects.toMatchObject({ code: 'ROUTE_LOOP' });
    for (const back of [first, between]) {
      await expect(give(first, between, await to(back.identity.peer))).rejects.toMatchObject({ code: 'ROUTE_LOOP' });
    }
    const fresh = () => to(last.identity.peer);
    await expect(give(first, between, await fresh(), 0)).rejects.toMatchObject({ code: 'ROUTE_TOO_LONG' });
    const most = routeLimits.hopsMax - 1;
    await expect(give(first, between, await fresh(), most)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    await expect(give(first, between, await fresh(), most + 1)).rejects.toMatchObject({ code: 'ROUTE_TOO_LONG' });
    await expect(give(first, between, await fresh(), 1, 1_000)).rejects.toMatchObject({ code: 'TIMEOUT' });
    const other = await layerFor(last, { next: first.identity.peer, inner: utf8('x') });
    await expect(give(first, between, other)).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' });
  });

  test('what it remembers as seen, and forgets the oldest of one more', async () => {
    const { peers, first, here } = await row(3);
    const between = at(peers, 1);
    /** What opens for nobody is remembered too. */
    const junk = async (count: number, code = 'INVALID_FORMAT'): Promise<void> => {
      const layer = Uint8Array.of(count >> 8, count & 0xff);
      await expect(give(first, between, layer)).rejects.toMatchObject({ code });
    };
    for (let count = 0; count < routeLimits.seenMax; count += 1) {
      if (count % routeLimits.lettersPerWindowMax === 0) await here.clock.advance(routeLimits.windowMs);
      await junk(count);
    }
    await here.clock.advance(routeLimits.windowMs);
    await junk(0, 'ROUTE_LOOP');
    await junk(routeLimits.seenMax);
    await junk(0);
  }, 60_000);

  test('more letters of one peer than its share', async () => {
    const { peers, first, here } = await row(3);
    const between = at(peers, 1);
    const junk = (count: number) => Uint8Array.of(count >> 8, count & 0xff);
    for (let count = 0; count < routeLimits.lettersPerWindowMax; count += 1)
      await expect(give(first, between, junk(count))).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    await expect(give(first, between, junk(9_000))).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await here.clock.advance(routeLimits.windowMs);
    await expect(give(first, between, junk(9_000))).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  });
});

test('what a hop is given says nothing of the letter and its ends', async () => {
  const { here, peers, first, last } = await row(3);
  const between = at(peers, 1);
  const seen: Uint8Array[] = [];
  const decode = routeMethod.request.decode.bind(routeMethod.request);
  const spied = routeMethod.request as { decode: typeof decode };
  spied.decode = (bytes) => {
    seen.push(bytes);
    return decode(bytes);
  };
  const secret = 'the plainest of plain texts';
  await first.messenger.send(text(last.identity.peer, secret));
  await here.clock.advance(5_000);
  spied.decode = decode;
  expect(await received(last)).toEqual([JSON.stringify(secret)]);
  const [atHop = new Uint8Array()] = seen;
  const opened = layerCodec.decode(
    await openSealed(between, between.mailbox?.keyring.all() ?? [], decode(atHop).layer, 'hop'),
  );
  expect(opened.next).toBe(last.identity.peer);
  expect(opened.answerKey).toBe(undefined);
  for (const known of [secret, first.identity.peer, 'text']) {
    expect(toHex(opened.inner)).not.toContain(toHex(utf8(known)));
  }
});

test('over lines that lose and break, with restarts of each: nothing is lost, nothing twice, in order', async () => {
  const step = fc.constantFrom('send', 'send', 'wait', 'first', 'between', 'last', 'cut', 'heal');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.nat(1_000), async (steps, seed) => {
      const here = place({ lossRate: 0.05, seed });
      const peers = (await row(3, here)).peers;
      const id = (index: number): PeerId => at(peers, index).identity.peer;
      const again = async (index: number): Promise<void> => {
        at(peers, index).die();
        peers[index] = await messageWorld(index + 1, here, { ...options, store: at(peers, index).store.reopen() });
      };
      let sent = 0;
      for (const one of [...steps, 'heal'] as const) {
        if (one === 'send') await at(peers, 0).messenger.send(text(id(2), sent++));
        else if (one === 'wait') await here.clock.advance(2_000);
        else if (one === 'cut') here.networks.cut(id(1), id(2));
        else if (one === 'heal') here.networks.heal(id(1), id(2));
        else await again(['first', 'between', 'last'].indexOf(one));
      }
      // Nothing keeps links up here as the agent does: a word to each neighbour brings them back.
      for (let turn = 0; turn < 6; turn += 1) {
        await at(peers, 1).messenger.send(text(id(0), 'met'));
        await at(peers, 1).messenger.send(text(id(2), 'met'));
        await here.clock.advance(120_000);
      }
      expect(await received(at(peers, 2))).toEqual(Array.from({ length: sent }, (_, number) => String(number)));
      expect(await at(peers, 0).messenger.waiting()).toBe(0);
      for (const one of peers) one.die();
    }),
    { numRuns: 15 },
  );
}, 120_000);
