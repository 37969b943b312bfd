import { callMethod, createIdentity, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { memoryWorld, type MemoryWorld, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { place, relayWorld } from '../../test/world.ts';
import { sealedSizes } from '../sealed/seal.ts';
import { mailboxLimits } from './limits.ts';
import { type MailboxQuestion, mailboxMethod } from './protocol.ts';

const [small = 0, , , , , large = 0] = sealedSizes;
const signal = new AbortController().signal;
const plain = { to: undefined, letter: undefined, after: undefined, done: [] };

async function harbour(options: { readonly totalBytesMax?: number } = {}) {
  const here = place();
  const relay = await relayWorld(9, here, options);
  const peer = (seed: number): MemoryWorld => {
    const identity = createIdentity(crypto, seededRandom(seed).bytes(32));
    return memoryWorld({ seed, identity, crypto, ...here });
  };
  const ask = (from: MemoryWorld, question: Partial<MailboxQuestion> & Pick<MailboxQuestion, 'verb'>) =>
    callMethod(from, relay.identity.peer, mailboxMethod, { ...plain, ...question }, { signal });
  const leave = (from: MemoryWorld, to: PeerId, bytes = small) =>
    ask(from, { verb: 'leave', to, letter: new Uint8Array(bytes) });
  return { here, relay, peer, ask, leave };
}

test('letters are kept for who asked, until it says that it is done, and for nobody else', async () => {
  const { relay, peer, ask, leave, here } = await harbour();
  const [a, b, c] = [peer(1), peer(2), peer(3)];
  await expect(leave(a, b.identity.peer)).rejects.toMatchObject({ code: 'MAILBOX_UNKNOWN' });
  await expect(ask(b, { verb: 'next' })).rejects.toMatchObject({ code: 'MAILBOX_UNKNOWN' });
  await ask(b, { verb: 'register' });
  await ask(c, { verb: 'register' });
  await leave(a, b.identity.peer);
  await leave(a, b.identity.peer);
  const first = await ask(b, { verb: 'next' });
  expect(first.letter).toHaveLength(small);
  // Another peer can neither see nor remove it.
  expect(await ask(c, { verb: 'next', done: [first.place ?? 0] })).toEqual({ place: undefined, letter: undefined });
  expect((await ask(b, { verb: 'next' })).place).toBe(first.place);
  const second = await ask(b, { verb: 'next', after: first.place, done: [first.place ?? 0] });
  expect(second.place).toBeGreaterThan(first.place ?? 0);
  expect(relay.keeper.stats()).toEqual({ registrations: 2, letters: 1, bytes: small });
  relay.die();
  const again = await relayWorld(9, here, { store: relay.store.reopen() });
  expect(again.keeper.stats()).toEqual({ registrations: 2, letters: 1, bytes: small });
  await ask(b, { verb: 'unregister' });
  expect(again.keeper.stats()).toEqual({ registrations: 1, letters: 0, bytes: 0 });
});

test('one peer has so many letters, and strangers fill only their part', async () => {
  const { here, relay, peer, ask, leave } = await harbour();
  const [member, stranger, b] = [peer(1), peer(2), peer(3)];
  await ask(member, { verb: 'register' });
  await ask(b, { verb: 'register' });
  for (let count = 0; count < mailboxLimits.strangersLettersPerPeerMax; count += 1)
    await leave(stranger, b.identity.peer);
  await expect(leave(stranger, b.identity.peer)).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
  const rest = mailboxLimits.lettersPerPeerMax - mailboxLimits.strangersLettersPerPeerMax;
  for (let count = 0; count < rest; count += 1) await leave(member, b.identity.peer);
  await expect(leave(member, b.identity.peer)).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
  expect(relay.keeper.stats().letters).toBe(mailboxLimits.lettersPerPeerMax);
  await here.clock.advance(mailboxLimits.keptMs + 1);
  await leave(member, b.identity.peer);
  expect(relay.keeper.stats().letters).toBe(1);
});

test('one peer has so many bytes, and strangers fill only their part', async () => {
  const { relay, peer, ask, leave } = await harbour();
  const [member, stranger, b] = [peer(1), peer(2), peer(3)];
  await ask(member, { verb: 'register' });
  await ask(b, { verb: 'register' });
  const fits = (bytes: number): number => Math.floor(bytes / large);
  for (let count = 0; count < fits(mailboxLimits.strangersBytesPerPeerMax); count += 1)
    await leave(stranger, b.identity.peer, large);
  await expect(leave(stranger, b.identity.peer, large)).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
  while (relay.keeper.stats().bytes + large <= mailboxLimits.bytesPerPeerMax)
    await leave(member, b.identity.peer, large);
  await expect(leave(member, b.identity.peer, large)).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
  await leave(member, b.identity.peer, small);
});

test('all peers together have so many bytes', async () => {
  const { relay, peer, ask, leave } = await harbour({ totalBytesMax: 3 * small });
  const [a, b, c] = [peer(1), peer(2), peer(3)];
  for (const one of [a, b, c]) await ask(one, { verb: 'register' });
  await leave(a, b.identity.peer);
  await leave(a, b.identity.peer);
  await leave(a, c.identity.peer);
  await expect(leave(a, c.identity.peer)).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
  expect(relay.keeper.stats().bytes).toBe(3 * small);
});

test('one sender leaves so many letters in a minute', async () => {
  const { here, peer, ask, leave } = await harbour();
  const [a, b, c] = [peer(1), peer(2), peer(3)];
  await ask(a, { verb: 'register' });
  for (const one of [b, c]) await ask(one, { verb: 'register' });
  for (let count = 0; count < mailboxLimits.depositsPerWindowMax; count += 1)
    await leave(a, (count % 2 === 0 ? b : c).identity.peer);
  const to = b.identity.peer;
  await expect(leave(a, to)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await leave(c, to);
  await here.clock.advance(mailboxLimits.depositWindowMs);
  await leave(a, to);
});

test('so many peers have a mailbox, and one that is never looked into is given up', async () => {
  const { here, relay, peer, ask } = await harbour();
  const peers = Array.from({ length: mailboxLimits.registrationsMax }, (_, seed) => peer(100 + seed));
  for (const one of peers) await ask(one, { verb: 'register' });
  const [kept = peer(0)] = peers;
  const late = peer(1);
  await expect(ask(late, { verb: 'register' })).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
  here.clock.jump(mailboxLimits.registrationLifeMs);
  await ask(kept, { verb: 'register' });
  here.clock.jump(1);
  await here.clock.advance(mailboxLimits.sweepMsMin);
  await ask(late, { verb: 'register' });
  expect(relay.keeper.stats().registrations).toBe(2);
}, 60_000);

test.each([0, 1])(
  'a letter lies as long as named and a mailbox that nobody looks into too; %i ms more is too long',
  async (more) => {
    const { here, relay, peer, ask, leave } = await harbour();
    const [a, b] = [peer(1), peer(2)];
    await ask(b, { verb: 'register' });
    await leave(a, b.identity.peer);
    // Every deposit looks for what is too old, and is itself one letter more.
    const pass = async (ms: number): Promise<void> => {
      here.clock.jump(ms - mailboxLimits.sweepMsMin);
      await here.clock.advance(mailboxLimits.sweepMsMin);
    };
    await pass(mailboxLimits.keptMs + more);
    await leave(a, b.identity.peer);
    expect(relay.keeper.stats()).toMatchObject({ registrations: 1, letters: more === 0 ? 2 : 1 });
    await pass(mailboxLimits.registrationLifeMs - mailboxLimits.keptMs);
    const left = leave(a, b.identity.peer).then(
      () => 'left',
      (error: { readonly code: string }) => error.code,
    );
    expect(await left).toBe(more === 0 ? 'left' : 'MAILBOX_UNKNOWN');
  },
);
