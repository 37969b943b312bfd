import { callMethod, nobleCrypto, PeerAiError } from '@peerai/core-protocol';
import { decodeTicket, encodeTicket, parseLink, proveTicket } from '@peerai/core-protocol/access';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import type { ShareRequest } from '../share/share.schema.ts';
import { shareMethod } from '../share/share-protocol.ts';
import { type TestGuest, type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { ended, guestAsks, live, startGuestAsking, textOf, until } from '../testing/steps.ts';

interface Scene {
  readonly world: TestWorld;
  readonly owner: TestPeer;
  readonly shareId: string;
  readonly link: string;
  readonly guest: TestGuest;
}
async function scene(request: Partial<ShareRequest> = {}, latencyMs = 0): Promise<Scene> {
  const world = testWorld({ latencyMs });
  const owner = await world.peer('owner', { seed: 7 });
  const { id, link } = await owner.peer.sharing.create({ model: 'echo', ...request });
  return { world, owner, shareId: id, link, guest: await world.guest(link, { seed: 70 }) };
}
const share = ({ owner, shareId }: Scene) => owner.peer.sharing.list().find(({ id }) => id === shareId);
const connectCode = async ({ world }: Scene, { guest }: TestGuest): Promise<string> =>
  world.clock.until(guest.connect(live())).then(
    () => 'OK',
    (error: unknown) => (PeerAiError.is(error) ? error.code : 'INTERNAL'),
  );
const askCode = async ({ world }: Scene, guest: TestGuest, options?: { readonly model?: string }): Promise<string> => {
  const last = (await guestAsks(world, guest, 'hello', options)).at(-1);
  return last?.type === 'error' ? last.code : 'OK';
};

describe('a guest with a share link', () => {
  test('asks, gets a receipt with both signatures, and both sides count the same', async () => {
    const one = await scene();
    const { world, guest, owner } = one;
    const state = await world.clock.until(guest.guest.connect(live()));
    expect(state).toMatchObject({ models: ['echo'], tokensBudget: 20_000, tokensUsed: 0 });
    const events = await guestAsks(world, guest, 'hello there');
    expect(textOf(events)).toBe('echo: hello there');
    expect(events.at(-1)).toMatchObject({ type: 'finish', servedBy: { signed: true, name: 'owner' } });
    const used = (await world.clock.until(guest.guest.state(live()))).tokensUsed;
    expect(used).toBeGreaterThan(0);
    expect(share(one)).toMatchObject({ tokens: { used, reserved: 0 }, active: 0, guests: [{ tokensUsed: used }] });
    await until(world.clock, async () => (await owner.peer.books.head()).size === 1);
    expect(await guest.guest.receipts()).toHaveLength(1);
  });

  test('is refused with TICKET_REVOKED once the owner has stopped the share, also after a restart', async () => {
    const one = await scene();
    await one.owner.peer.sharing.stop(one.shareId);
    expect(await connectCode(one, one.guest)).toBe('TICKET_REVOKED');
    expect(await askCode(one, one.guest)).toBe('TICKET_REVOKED');
    await one.world.peer('owner', { seed: 7, store: one.world.kill(one.owner) });
    expect(await askCode(one, one.guest)).toBe('TICKET_REVOKED');
  });

  test('is refused with TICKET_EXPIRED at the very end of its life, and not before', async () => {
    const one = await scene({ forMs: 60_000 });
    expect(await connectCode(one, one.guest)).toBe('OK');
    const passed = one.world.clock.elapsedMs();
    await one.world.clock.advance(60_000 - passed - 1);
    expect(await connectCode(one, one.guest)).toBe('OK');
    await one.world.clock.advance(1);
    expect(await connectCode(one, one.guest)).toBe('TICKET_EXPIRED');
    expect(await askCode(one, one.guest)).toBe('TICKET_EXPIRED');
    expect(share(one)?.state).toBe('expired');
  });

  test('never spends more than the budget, and then hears BUDGET_SPENT, also after a restart', async () => {
    const one = await scene({ tokens: 20 });
    const codes: string[] = [];
    for (let count = 0; count < 12 && codes.at(-1) !== 'BUDGET_SPENT'; count += 1) {
      codes.push(await askCode(one, one.guest));
      expect(share(one)?.tokens.used).toBeLessThanOrEqual(20);
    }
    expect(codes[0]).toBe('OK');
    expect(codes.at(-1)).toBe('BUDGET_SPENT');
    const used = share(one)?.tokens.used;
    const again = await one.world.peer('owner', { seed: 7, store: one.world.kill(one.owner) });
    expect(again.peer.sharing.list()[0]?.tokens).toMatchObject({ used, reserved: 0 });
    expect(await askCode(one, one.guest)).toBe('BUDGET_SPENT');
  });

  test('may ask the shared model only', async () => {
    const one = await scene();
    expect(await askCode(one, one.guest, { model: 'lorem-100' })).toBe('MODEL_NOT_SHARED');
  });

  test('comes too late when as many guests as the link allows have come, and those stay welcome', async () => {
    const one = await scene({ guests: 2 });
    const second = await one.world.guest(one.link, { seed: 71 });
    const third = await one.world.guest(one.link, { seed: 72 });
    expect([await connectCode(one, one.guest), await askCode(one, second)]).toEqual(['OK', 'OK']);
    expect([await connectCode(one, third), await askCode(one, third)]).toEqual(['TOO_MANY_GUESTS', 'TOO_MANY_GUESTS']);
    expect(await askCode(one, one.guest)).toBe('OK');
  });

  test('waits for its turn when as many answers run as the link allows, while looking at the link is always free', async () => {
    const one = await scene({ model: 'echo-slow', concurrency: 1 });
    const second = await one.world.guest(one.link, { seed: 71 });
    const running = startGuestAsking(one.guest, 'a long answer of many words that takes its time');
    await until(one.world.clock, () => textOf(running.events).length > 0);
    expect(await askCode(one, second)).toBe('TOO_MANY');
    expect([await connectCode(one, one.guest), await connectCode(one, second)]).toEqual(['OK', 'OK']);
    await ended(one.world, running);
    expect(running.events.at(-1)?.type).toBe('finish');
    expect(await askCode(one, second)).toBe('OK');
  });

  test('is refused with TICKET_INVALID for a wrong secret, an unknown ticket, and the grant of another key', async () => {
    const one = await scene();
    const parsed = parseLink(one.link);
    const ticket = decodeTicket(nobleCrypto, parsed.kind === 'share' ? parsed.ticket : '');
    const forged = async (changed: Partial<typeof ticket>, seed: number): Promise<string> => {
      const text = encodeTicket(one.owner.identity, { ...ticket, ...changed });
      return askCode(one, await one.world.guest(`https://page.example/s#${text}`, { seed }));
    };
    expect(await forged({ secret: new Uint8Array(16) }, 73)).toBe('TICKET_INVALID');
    expect(await forged({ id: new Uint8Array(8) }, 74)).toBe('TICKET_INVALID');
    const stolen = proveTicket(nobleCrypto, ticket, one.guest.identity.peer);
    const thief = one.world.networks.join((await one.world.guest(one.link, { seed: 75 })).identity.peer);
    const asked = callMethod(
      { network: thief, clock: one.world.clock },
      one.owner.identity.peer,
      shareMethod,
      { grant: stolen },
      { signal: live() },
    );
    await expect(one.world.clock.until(asked)).rejects.toMatchObject({ code: 'TICKET_INVALID' });
    expect(share(one)?.guests).toEqual([]);
  });

  test('brings a ticket of another provider in vain', async () => {
    const one = await scene();
    const other = await one.world.peer('other', { seed: 8 });
    const parsed = parseLink(one.link);
    const ticket = decodeTicket(nobleCrypto, parsed.kind === 'share' ? parsed.ticket : '');
    const text = encodeTicket(other.identity, ticket);
    expect(await askCode(one, await one.world.guest(`https://page.example/s#${text}`, { seed: 76 }))).toBe(
      'TICKET_INVALID',
    );
  });

  test.each([
    ['before its signature was made', 0],
    ['after it signed, before the signature was over there', 1],
  ])('that died %s owes a receipt, is refused for it, and signs when it comes back', async (_, ownEntries) => {
    const one = await scene({ concurrency: 2 }, 40);
    const { world, owner, guest } = one;
    startGuestAsking(guest, 'hello there');
    const entries = async (): Promise<number> => (await guest.guest.receipts()).length;
    for (let step = 0; (await openHalves(one)) === 0 || (await entries()) < ownEntries; step += 1) {
      if (step > 2_000) throw new Error('no answer came to its receipt');
      await world.clock.advance(1);
    }
    expect([await openHalves(one), await entries()]).toEqual([1, ownEntries]);
    const store = world.kill(guest);
    await world.clock.advance(10_000);
    expect(await openHalves(one)).toBe(1);

    const again = await world.guest(one.link, { seed: 70, store });
    await expect(world.clock.until(again.guest.state(live()))).rejects.toMatchObject({ code: 'RECEIPT_UNSIGNED' });
    expect(await connectCode(one, again)).toBe('OK');
    expect((await owner.peer.books.head()).size).toBe(1);
    const [kept] = await again.guest.receipts();
    expect([...(kept ?? [])]).toEqual([...(await ownersReceipt(one))]);
    expect(await askCode(one, again)).toBe('OK');
  });

  test('of a share that was stopped meanwhile still signs for its last answer', async () => {
    const one = await scene({}, 40);
    startGuestAsking(one.guest, 'hello there');
    await until(one.world.clock, async () => (await openHalves(one)) > 0);
    const store = one.world.kill(one.guest);
    await one.owner.peer.sharing.stop(one.shareId);
    const again = await one.world.guest(one.link, { seed: 70, store });
    expect(await connectCode(one, again)).toBe('TICKET_REVOKED');
    expect([await openHalves(one), (await one.owner.peer.books.head()).size]).toEqual([0, 1]);
  });

  test('that left in the middle of an answer, on a line that broke, signs for it soon after', async () => {
    const one = await scene({ model: 'echo-slow' }, 20);
    const { world, owner, guest } = one;
    const running = startGuestAsking(guest, 'a long answer of many words that takes its time');
    await until(world.clock, () => textOf(running.events).length > 10);
    world.networks.cut(owner.identity.peer, guest.identity.peer);
    running.stop();
    await world.clock.advance(2_000);
    world.networks.heal(owner.identity.peer, guest.identity.peer);
    expect(await openHalves(one)).toBe(1);
    await world.clock.advance(limits.lookBackMs);
    expect([await openHalves(one), (await owner.peer.books.head()).size]).toEqual([0, 1]);
  });

  test('that owes a receipt signs it by itself when it asks, without connecting first', async () => {
    const one = await scene({ concurrency: 2 }, 40);
    startGuestAsking(one.guest, 'hello there');
    await until(one.world.clock, async () => (await openHalves(one)) > 0);
    const store = one.world.kill(one.guest);
    await one.world.clock.advance(10_000);
    expect(await askCode(one, await one.world.guest(one.link, { seed: 70, store }))).toBe('OK');
    await until(one.world.clock, async () => (await one.owner.peer.books.head()).size === 2);
  });

  test('comes back after a week and can still sign for its last answer', async () => {
    const one = await scene({ forMs: 20 * 86_400_000, concurrency: 2 }, 40);
    startGuestAsking(one.guest, 'hello there');
    await until(one.world.clock, async () => (await openHalves(one)) > 0);
    const store = one.world.kill(one.guest);
    one.world.clock.jump(7 * 86_400_000);
    expect(await askCode(one, await one.world.guest(one.link, { seed: 70, store }))).toBe('OK');
  });
});

async function ownersReceipt({ owner }: Scene): Promise<Uint8Array> {
  for await (const { key, value } of owner.store.room('receipts').range('kept/given/', 'kept/given0'))
    if (key !== '') return value;
  throw new Error('the owner keeps no receipt');
}

/** Halves given and not signed yet, as the owner's disk says. */
async function openHalves({ owner }: Scene): Promise<number> {
  let count = 0;
  for await (const row of owner.store.room('receipts').range('open/', 'open0')) if (row.value.length > 0) count += 1;
  return count;
}

test('an answer that runs ends with TICKET_REVOKED when the owner stops the share; its text stays and is charged once', async () => {
  const one = await scene({ model: 'echo-slow' });
  const { world, owner, guest } = one;
  const running = startGuestAsking(guest, 'a long answer of many words that takes its time');
  await until(world.clock, () => textOf(running.events).length > 10);
  await owner.peer.sharing.stop(one.shareId);
  const events = await ended(world, running);
  expect(textOf(events).length).toBeGreaterThan(10);
  expect(textOf(events)).not.toContain('time');
  expect(events.at(-1)).toMatchObject({ type: 'error', code: 'TICKET_REVOKED' });
  await until(world.clock, async () => (await owner.peer.books.head()).size === 1);
  const stopped = share(one);
  expect(stopped).toMatchObject({ state: 'stopped', active: 0, tokens: { reserved: 0 } });
  expect(stopped?.tokens.used).toBeGreaterThan(0);
});

test('a stop and the end of an answer in the same moment lose neither the stop nor the tokens', async () => {
  const world = testWorld();
  const owner = await world.peer('owner', { seed: 7, commitMs: 20 });
  const made = await world.clock.until(owner.peer.sharing.create({ model: 'echo' }));
  const guest = await world.guest(made.link, { seed: 70 });
  const running = startGuestAsking(guest, 'hello there');
  await until(world.clock, () => textOf(running.events) !== '');
  const stopping = owner.peer.sharing.stop(made.id);
  await world.clock.until(stopping);
  await ended(world, running);
  await world.clock.advance(1_000);
  const kept = await world.peer('owner', { seed: 7, store: world.kill(owner) });
  const [view] = kept.peer.sharing.list();
  expect(view?.state).toBe('stopped');
  expect(view?.tokens).toEqual(owner.peer.sharing.list()[0]?.tokens);
  expect(view?.tokens.used).toBeGreaterThan(0);
});
