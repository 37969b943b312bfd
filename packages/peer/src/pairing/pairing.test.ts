import { PeerAiError } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { hintFor } from '../chat/hints.ts';
import { limits } from '../limits.ts';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { ask, live, pair, textOf, until } from '../testing/steps.ts';

const names = ({ peer }: TestPeer): string[] =>
  peer.peers
    .list()
    .filter(({ kind }) => kind === 'device')
    .map(({ name }) => name);
const code = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'OK',
    (error: unknown) => (PeerAiError.is(error) ? error.code : 'INTERNAL'),
  );

/** Both screens show their emoji. */
async function shown(
  world: TestWorld,
  inviter: TestPeer,
  joiner: TestPeer,
): Promise<{ readonly id: string; readonly link: string }> {
  const { link } = await inviter.peer.pairing.invite(['chat']);
  const { id } = await world.clock.until(joiner.peer.pairing.join(link, live()));
  return { id, link };
}

describe('a pairing', () => {
  test('lets both sides ask each other and write to each other', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    await pair(world, a, b);
    await until(world.clock, () => a.peer.peers.list().some(({ models }) => models.length > 0));
    expect(textOf(await ask(world, a, 'echo@b', 'hi b'))).toBe('echo: hi b');
    expect(textOf(await ask(world, b, 'echo@a', 'hi a'))).toBe('echo: hi a');
    expect(await world.clock.until(a.peer.messages.deliver('b', 'text', 'to b'))).toMatchObject({ state: 'delivered' });
    expect(await world.clock.until(b.peer.messages.deliver('a', 'text', 'to a'))).toMatchObject({ state: 'delivered' });
    expect((await b.peer.messages.list()).map(({ payload, fromName }) => [payload, fromName])).toEqual([['to b', 'a']]);
  });

  test('that the inviter rejects ends on both screens and pairs nobody', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    const { id } = await shown(world, a, b);
    expect((await a.peer.pairing.reject(id)).state).toBe('rejected');
    await until(world.clock, () => b.peer.pairing.get(id).state === 'rejected');
    expect(await code(a.peer.pairing.accept(id))).toBe('PAIRING_GONE');
    expect([names(a), names(b)]).toEqual([[], []]);
  });

  test('that the joiner gives up ends on both screens, and its side never confirms', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    const { id } = await shown(world, a, b);
    expect(await code(b.peer.pairing.accept(id))).toBe('REFUSED');
    await b.peer.pairing.reject(id);
    await until(world.clock, () => a.peer.pairing.get(id).state === 'expired');
    expect([await code(a.peer.pairing.accept(id)), names(a)]).toEqual(['PAIRING_GONE', []]);
  });

  test('that nobody confirms expires after ten minutes on both screens', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    const { id } = await shown(world, a, b);
    await world.clock.advance(limits.pairingWaitMs - 1_000);
    expect([a.peer.pairing.get(id).state, b.peer.pairing.get(id).state]).toEqual(['waiting', 'waiting']);
    await world.clock.advance(1_000);
    expect([a.peer.pairing.get(id).state, b.peer.pairing.get(id).state]).toEqual(['expired', 'expired']);
    expect(await code(a.peer.pairing.accept(id))).toBe('PAIRING_GONE');
  });

  test('goes on when the link breaks while people compare, also when the confirmation came meanwhile', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    const { id } = await shown(world, a, b);
    world.networks.cut(a.identity.peer, b.identity.peer);
    await world.clock.advance(5_000);
    expect((await a.peer.pairing.accept(id)).state).toBe('accepted');
    expect(b.peer.pairing.get(id).state).toBe('waiting');
    world.networks.heal(a.identity.peer, b.identity.peer);
    await until(world.clock, () => b.peer.pairing.get(id).state === 'accepted');
    await until(world.clock, () => b.peer.peers.list().some(({ models }) => models.length > 0));
    expect([names(a), names(b)]).toEqual([['b'], ['a']]);
  });

  test('comes back on the screen of an inviter that was restarted while it waited', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a', { seed: 11 }), await world.peer('b')];
    const { id } = await shown(world, a, b);
    const emoji = a.peer.pairing.get(id).emoji;
    const again = await world.peer('a', { seed: 11, store: world.kill(a) });
    expect(again.peer.pairing.list().pending).toEqual([]);
    await until(world.clock, () => again.peer.pairing.list().pending.length === 1);
    expect(again.peer.pairing.get(id).emoji).toEqual(emoji);
    await again.peer.pairing.accept(id);
    await until(world.clock, () => b.peer.pairing.get(id).state === 'accepted');
  });

  test('that the inviter accepted before it died is true for the joiner too, without a second question', async () => {
    const world = testWorld({ latencyMs: 50 });
    const [a, b] = [await world.peer('a', { seed: 11 }), await world.peer('b')];
    const { id } = await shown(world, a, b);
    await a.peer.pairing.accept(id);
    const again = await world.peer('a', { seed: 11, store: world.kill(a) });
    expect([names(again), b.peer.pairing.get(id).state]).toEqual([['b'], 'waiting']);
    await until(world.clock, () => b.peer.pairing.get(id).state === 'accepted');
    expect(again.peer.pairing.list().pending).toEqual([]);
    expect(names(b)).toEqual(['a']);
  });

  test('begins when the relay has a place for the inviter a moment later only, and not when none comes', async () => {
    const world = testWorld();
    const noPlace = new PeerAiError('PEER_UNREACHABLE', 'no place', { attempts: [], mayComeSoon: true });
    const away = new PeerAiError('PEER_UNREACHABLE', 'nobody there', { attempts: [], mayComeSoon: false });
    let error: PeerAiError | undefined = noPlace;
    const [a, b] = [await world.peer('a'), await world.peer('b', { unreachable: () => error })];
    const { link } = await a.peer.pairing.invite(['chat']);
    const joining = b.peer.pairing.join(link, live());
    await world.clock.advance(limits.joinTryMs / 2);
    error = undefined;
    const { id } = await world.clock.until(joining);
    await b.peer.pairing.reject(id);

    for (const [reason, msMax] of [
      [noPlace, limits.joinTryMs + limits.joinAgainMs],
      [away, 0],
    ] as const) {
      error = reason;
      const next = await a.peer.pairing.invite(['chat']);
      const begunMs = world.clock.elapsedMs();
      expect(await code(world.clock.until(b.peer.pairing.join(next.link, live())))).toBe('PEER_UNREACHABLE');
      expect(world.clock.elapsedMs() - begunMs).toBeLessThanOrEqual(msMax);
    }
  });

  test('that a joiner lost by a restart is found again with the same link', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b', { seed: 12 })];
    const { id, link } = await shown(world, a, b);
    const again = await world.peer('b', { seed: 12, store: world.kill(b) });
    expect((await world.clock.until(again.peer.pairing.join(link, live()))).id).toBe(id);
    expect(a.peer.pairing.list().pending).toHaveLength(1);
    await a.peer.pairing.accept(id);
    await until(world.clock, () => again.peer.pairing.get(id).state === 'accepted');
  });

  test('is one pairing when the link is opened twice', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    const { id, link } = await shown(world, a, b);
    expect((await b.peer.pairing.join(link, live())).id).toBe(id);
    expect(a.peer.pairing.list().pending).toHaveLength(1);
  });

  test('that the disk refuses waits on, and says so to the owner', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    const { id } = await shown(world, a, b);
    a.store.failNextCommit('STORE_FULL');
    expect(await code(a.peer.pairing.accept(id))).toBe('STORE_FULL');
    expect([a.peer.pairing.get(id).state, names(a)]).toEqual(['waiting', []]);
    await a.peer.pairing.accept(id);
    await until(world.clock, () => names(b).length === 1);
  });

  test('whose time ends while the disk writes its acceptance is accepted, on both screens', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a', { commitMs: 200 }), await world.peer('b')];
    const { link } = await world.clock.until(a.peer.pairing.invite(['chat']));
    const { id } = await world.clock.until(b.peer.pairing.join(link, live()));
    await world.clock.advance(a.peer.pairing.get(id).sinceMs + limits.pairingWaitMs - world.clock.nowMs() - 100);
    const accepting = a.peer.pairing.accept(id);
    await world.clock.advance(150);
    expect([a.peer.pairing.get(id).state, await code(a.peer.pairing.accept(id))]).toEqual(['waiting', 'PAIRING_GONE']);
    expect((await world.clock.until(accepting)).state).toBe('accepted');
    expect(names(a)).toEqual(['b']);
  });

  test('of two devices with one name gives them two', async () => {
    const world = testWorld();
    const a = await world.peer('study-pc');
    for (const name of ['laptop', 'laptop', '\u001Blap\u202Etop', 'study-pc'])
      await pair(world, a, await world.peer(name));
    expect(names(a)).toEqual(['laptop', 'laptop-2', 'laptop-3', 'study-pc-2']);
  });
});

describe('invites', () => {
  test('as many as the limit says can be open, one more is refused until one was used', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    const links: string[] = [];
    for (let count = 0; count < limits.invitesOpenMax; count += 1)
      links.push((await a.peer.pairing.invite(['chat'])).link);
    expect(await code(a.peer.pairing.invite(['chat']))).toBe('TOO_MANY_PAIRINGS');
    await world.clock.until(b.peer.pairing.join(links[0] ?? '', live()));
    expect(await code(a.peer.pairing.invite(['chat']))).toBe('OK');
  });

  test('as many pairings as the limit says may wait; one more is refused, and may come later with the same link', async () => {
    const world = testWorld();
    const a = await world.peer('a');
    const join = async (link: string, peer: TestPeer): Promise<string> =>
      code(world.clock.until(peer.peer.pairing.join(link, live())));
    const invite = async (): Promise<string> => (await a.peer.pairing.invite(['chat'])).link;
    for (let count = 0; count < limits.pairingsWaitingMax; count += 1)
      expect(await join(await invite(), await world.peer(`b${count}`))).toBe('OK');
    const [late, link] = [await world.peer('late'), await invite()];
    expect(await join(link, late)).toBe('TOO_MANY_PAIRINGS');
    await a.peer.pairing.reject(a.peer.pairing.list().pending[0]?.id ?? '');
    expect(await join(link, late)).toBe('OK');
  });

  test('let only one of two in who come at once, and nobody else later', async () => {
    const world = testWorld();
    const [a, b, c] = [await world.peer('a', { commitMs: 20 }), await world.peer('b'), await world.peer('c')];
    const { link } = await world.clock.until(a.peer.pairing.invite(['chat']));
    const codes = await world.clock.until(Promise.all([b, c].map(({ peer }) => code(peer.pairing.join(link, live())))));
    expect([...codes].sort()).toEqual(['INVITE_USED', 'OK']);
  });

  test('are not used up by a commit that failed', async () => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    const { link } = await a.peer.pairing.invite(['chat']);
    a.store.failNextCommit('STORE_FULL');
    expect(await code(world.clock.until(b.peer.pairing.join(link, live())))).toBe('STORE_FULL');
    expect(a.peer.pairing.list().invites).toHaveLength(1);
    expect(await code(world.clock.until(b.peer.pairing.join(link, live())))).toBe('OK');
  });

  test('to oneself, share links and nonsense are refused by name', async () => {
    const world = testWorld();
    const a = await world.peer('a');
    const { link } = await a.peer.pairing.invite(['chat']);
    const share = await a.peer.sharing.create({ model: 'echo' });
    const codes = await Promise.all([link, share.link, 'hello'].map((text) => code(a.peer.pairing.join(text, live()))));
    expect(codes).toEqual(['SELF_PAIRING', 'INVITE_INVALID', 'INVITE_INVALID']);
  });

  test.each<[string, (link: string) => string, RegExp]>([
    ['any text', () => 'hello', /no invite/],
    ['a verb with nothing behind it', () => 'peerai://pair/nonsense', /no invite/],
    ['an invite whose end was not copied', (link) => link.slice(0, -20), /damaged/],
    ['an invite with one letter changed', (link) => `${link.slice(0, -30)}_-_-_${link.slice(-25)}`, /damaged/],
    ['more text than a link may have', (link) => link + ' '.repeat(20_000), /no invite/],
    ['an address of an older peer', () => 'p2p://someone@study-pc', /no invite/],
  ])('%s is refused with INVITE_INVALID and says what is wrong', async (_name, spoil, words) => {
    const world = testWorld();
    const [a, b] = [await world.peer('a'), await world.peer('b')];
    const { link } = await a.peer.pairing.invite(['chat']);
    await expect(b.peer.pairing.join(spoil(link), live())).rejects.toMatchObject({
      code: 'INVITE_INVALID',
      message: expect.stringMatching(words) as string,
    });
  });

  test.each(['INVITE_INVALID', 'INVITE_EXPIRED', 'INVITE_USED', 'SELF_PAIRING', 'PAIRING_GONE', 'TOO_MANY_PAIRINGS'])(
    '%s comes with the command that helps',
    (name) => expect(hintFor(name)).toMatch(/`peerai \w+/),
  );

  test('a share link is sent to the browser', async () => {
    const a = await testWorld().peer('a');
    const { link } = await a.peer.sharing.create({ model: 'echo' });
    await expect(a.peer.pairing.join(link, live())).rejects.toMatchObject({
      details: { hint: expect.stringContaining('in a browser') as string },
    });
  });
});
