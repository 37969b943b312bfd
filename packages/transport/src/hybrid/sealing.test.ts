import { type Channel, createIdentity, fromUtf8, type PeerId, type Protocol, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, networkContract, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { joinSealed, type SealedMemory, type Tap } from '../testing/sealed-memory.ts';
import { limits } from './limits.ts';

const random = seededRandom(11);
const seeds = [random.bytes(32), random.bytes(32), random.bytes(32)] as [Uint8Array, Uint8Array, Uint8Array];
const [a, b, c] = seeds.map((seed) => createIdentity(nodeCrypto, seed).peer) as [PeerId, PeerId, PeerId];
const signal = new AbortController().signal;
const protocol: Protocol = {
  id: '/peerai/test/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_000,
  channelsPerPeerMax: 8,
};
const echo = async (channel: Channel): Promise<void> => {
  for await (const message of channel) await channel.send(message);
};
const everybody = () => createMemoryNetworks({ clock: new ManualClock(), random });

networkContract('A sealed network without links that protect anything', () => {
  const networks = everybody();
  let granted = false;
  return {
    a: joinSealed(networks, { seed: seeds[0], random }).network,
    b: joinSealed(networks, { seed: seeds[1], random }, { isGranted: () => granted }).network,
    stranger: c,
    grant: (value) => void (granted = value),
  };
});

type Options = Parameters<typeof joinSealed>[2];
function pair(options: { readonly a?: Options; readonly b?: Options } = {}) {
  const networks = everybody();
  const at = {
    a: joinSealed(networks, { seed: seeds[0], random }, options.a),
    b: joinSealed(networks, { seed: seeds[1], random }, options.b),
  };
  at.b.network.answer(protocol, echo);
  return { ...at, networks };
}
async function ask({ network }: SealedMemory, to: PeerId, text = 'hello', what = protocol): Promise<string> {
  const channel = await network.open(to, what, { signal });
  await channel.send(utf8(text));
  await channel.close();
  const heard: string[] = [];
  for await (const message of channel) heard.push(fromUtf8(message));
  return heard.join('|');
}

test('whoever records the wire finds nothing of what is said, both ways', async () => {
  const wire: string[] = [];
  const tap: Tap = (message) => {
    wire.push(fromUtf8Loosely(message));
    return [message];
  };
  const { a: asks } = pair({ a: { tap }, b: { tap } });
  const secret = 'a prompt that nobody else is to read';
  expect(await ask(asks, b, secret)).toBe(secret);
  expect(asks.hybrid(b)).toBe(true);
  expect(wire.length).toBeGreaterThan(6);
  expect(wire.some((text) => text.includes('prompt'))).toBe(false);
});
const fromUtf8Loosely = (message: Uint8Array): string => new TextDecoder().decode(message);

test('one exchange is enough for a link, whoever opens', async () => {
  const exchanges: string[] = [];
  const tap: Tap = (message, { from, protocol: id }) => {
    if (id === '/peerai/link/1') exchanges.push(from);
    return [message];
  };
  const { a: left, b: right } = pair({ a: { tap }, b: { tap } });
  left.network.answer({ ...protocol, id: '/peerai/back/1' }, echo);
  expect(await ask(left, b)).toBe('hello');
  expect(await ask(right, a, 'back', { ...protocol, id: '/peerai/back/1' })).toBe('back');
  expect(await ask(left, b, 'again')).toBe('again');
  expect(exchanges).toEqual([a, b, a]);
});

test.each([0, 1, 2])('message %i of the exchange, changed: no keys, and the link ends', async (place) => {
  let seen = 0;
  const tap: Tap = (message, { protocol: id }) => {
    if (id !== '/peerai/link/1' || seen++ !== place) return [message];
    return [message.with(40, (message[40] ?? 0) ^ 1)];
  };
  const { a: asks, b: asked } = pair({ a: { tap }, b: { tap } });
  await expect(ask(asks, b)).rejects.toMatchObject({
    code: expect.stringMatching(/CHANNEL_CLOSED|CHALLENGE_INVALID/u),
  });
  expect(asked.hybrid(a)).toBeUndefined();
  expect([...asks.ended, ...asked.ended]).not.toEqual([]);
});

test('a recorded exchange and a recorded channel are refused when they come again', async () => {
  const said: { protocol: string; message: Uint8Array }[] = [];
  const tap: Tap = (message, { protocol: id }) => {
    said.push({ protocol: id, message: message.slice() });
    return [message];
  };
  const { a: asks, b: asked, networks } = pair({ a: { tap } });
  await ask(asks, b);
  const of = (id: string): Uint8Array[] => said.filter((one) => one.protocol === id).map(({ message }) => message);
  const again = networks.join(a);
  const sealed = asks.sealing.sealedProtocol(protocol);
  const channel = await again.open(b, sealed, { signal });
  for (const message of of(sealed.id)) await channel.send(message).catch(() => undefined);
  await expect(channel[Symbol.asyncIterator]().next()).rejects.toMatchObject({ details: { code: 'REPLAY_DETECTED' } });
  const exchange = await again.open(b, asks.sealing.exchange.protocol, { signal });
  const [offer = new Uint8Array(), confirm = new Uint8Array()] = of('/peerai/link/1');
  await exchange.send(offer);
  await exchange[Symbol.asyncIterator]().next();
  await exchange.send(confirm);
  await expect(exchange[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
  expect(asked.ended).toEqual([a]);
});

test('a peer that knows no exchange is talked to as ever, and seen as such', async () => {
  const networks = everybody();
  const old = networks.join(b);
  old.answer(protocol, echo);
  const asks = joinSealed(networks, { seed: seeds[0], random });
  expect(await ask(asks, b)).toBe('hello');
  expect(asks.hybrid(b)).toBe(false);
  // And the other way.
  asks.network.answer({ ...protocol, id: '/peerai/back/1' }, echo);
  const channel = await old.open(a, { ...protocol, id: '/peerai/back/1' }, { signal });
  await channel.send(utf8('x'));
  expect((await channel[Symbol.asyncIterator]().next()).value).toEqual(utf8('x'));
});

test.each([
  ['one that was seen to do it', { isHybrid: () => true }],
  ['any, where it is required', { policy: 'required' }],
] as const)('%s is refused without, in both directions', async (_, options) => {
  const networks = everybody();
  const stripped = networks.join(b);
  let heard = 0;
  stripped.answer(protocol, async (channel) => {
    for await (const _ of channel) heard += 1;
  });
  const asks = joinSealed(networks, { seed: seeds[0], random }, options);
  await expect(ask(asks, b)).rejects.toMatchObject({ code: 'POST_QUANTUM_REQUIRED' });
  asks.network.answer({ ...protocol, id: '/peerai/back/1' }, async (channel) => {
    for await (const _ of channel) heard += 1;
  });
  const channel = await stripped.open(a, { ...protocol, id: '/peerai/back/1' }, { signal });
  await expect(channel[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    details: { code: 'POST_QUANTUM_REQUIRED' },
  });
  expect(heard).toBe(0);
});

test('on a link that was sealed nothing comes in that is not', async () => {
  const { a: asks, networks } = pair();
  await ask(asks, b);
  const channel = await networks.join(a).open(b, protocol, { signal });
  await expect(channel[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    details: { code: 'POST_QUANTUM_REQUIRED' },
  });
});

test('bytes of a foreign protocol are not sealed: they pass unless it is required', async () => {
  const raw: Protocol = { ...protocol, id: '/llama/1.0.0', framing: 'raw' };
  for (const [policy, code] of [
    ['preferred', undefined],
    ['required', 'POST_QUANTUM_REQUIRED'],
  ] as const) {
    const { a: asks, b: asked } = pair({ a: { policy } });
    asked.network.answer(raw, echo);
    const answered = ask(asks, b, 'raw', raw);
    if (code === undefined) expect(await answered).toBe('raw');
    else await expect(answered).rejects.toMatchObject({ code });
  }
});

test('the keys go with the link: the next one has an exchange of its own', async () => {
  let exchanges = 0;
  const tap: Tap = (message, { protocol: id, from }) => {
    if (id === '/peerai/link/1' && from === b) exchanges += 1;
    return [message];
  };
  const { a: asks, b: asked } = pair({ b: { tap } });
  await ask(asks, b);
  asks.drop(b);
  asked.drop(a);
  await ask(asks, b);
  expect(exchanges).toBe(2);
});

test('keys that were given before a link ended seal nothing after it', async () => {
  const { a: asks } = pair();
  await ask(asks, b);
  const connection = asks.connectionTo(b);
  const seal = await asks.sealing.opening(connection, protocol, signal);
  asks.sealing.dropped(connection);
  const plain = await asks.network.open(b, protocol, { signal });
  expect(() => seal?.over(plain)).toThrow(expect.objectContaining({ code: 'CHANNEL_CLOSED' }));
});

test('a link has so many exchanges and not one more', async () => {
  const { a: asks } = pair();
  const anew = (): Promise<string> => {
    asks.drop(b);
    return ask(asks, b);
  };
  for (let turn = 0; turn < limits.exchangesPerLinkMax; turn += 1) expect(await anew()).toBe('hello');
  await expect(anew()).rejects.toMatchObject({ details: { code: 'LIMIT_REACHED' } });
});
