import { type Channel, PeerAiError, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from './limits.ts';
import { createLinkSecret } from './link-secret.ts';
import { sealedChannel } from './sealed-channel.ts';

const messageBytesMax = 100;
const aead = nodeCrypto.aead['aes-256-gcm'];

/** A channel that gives what it was given, and keeps what is sent. */
function wire(incoming: readonly Uint8Array[] = []) {
  const gone = new AbortController();
  const sent: Uint8Array[] = [];
  const closed: (string | undefined)[] = [];
  const queue = incoming.map((message) => message.slice());
  const channel: Channel = {
    link: {} as Channel['link'],
    signal: gone.signal,
    send: async (message) => void sent.push(message.slice()),
    async close(code) {
      closed.push(code);
      if (code !== undefined) gone.abort(new PeerAiError('CHANNEL_CLOSED', 'closed here', { code }));
    },
    [Symbol.asyncIterator]: () => ({
      async next() {
        const value = queue.shift();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
    }),
  };
  return { channel, sent, closed, gone };
}

/** Fresh keys of one channel at both ends. */
function keysOfBoth(seed = 1) {
  const made = { exchange: new Uint8Array(16), aead };
  const secret = seededRandom(seed).bytes(32);
  const opener = createLinkSecret(nodeCrypto, { ...made, initiator: true, secret: secret.slice() });
  const answerer = createLinkSecret(nodeCrypto, { ...made, initiator: false, secret: secret.slice() });
  return { opener: opener.open('/x/1').keys, answerer: answerer.answer('/x/1', 1) };
}

const over = (inner: Channel, keys: ReturnType<typeof keysOfBoth>['opener'], from?: number): Channel => {
  const incoming = inner[Symbol.asyncIterator]();
  const parts = { ready: Promise.resolve(keys), incoming, messageBytesMax };
  return sealedChannel(inner, from === undefined ? parts : { ...parts, from });
};

/** What an opener puts on the wire for these messages and its end. */
async function sealedOf(messages: readonly string[]) {
  const keys = keysOfBoth();
  const line = wire();
  const channel = over(line.channel, keys.opener);
  for (const message of messages) await channel.send(utf8(message));
  await channel.close();
  return { wire: line.sent, keys: keysOfBoth() };
}
async function read(channel: Channel): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for await (const message of channel) messages.push(message);
  return messages;
}

test('what is sealed is opened in its order, empty messages too, up to an end that was sealed', async () => {
  const { wire: sealed, keys } = await sealedOf(['one', '', 'three']);
  expect(sealed.map(({ length }) => length - limits.tagBytes)).toEqual([3, 0, 5, 0]);
  const channel = over(wire(sealed).channel, keys.answerer);
  expect(await read(channel)).toEqual([utf8('one'), utf8(''), utf8('three')]);
  expect(await read(channel)).toEqual([]);
});

const changes: Record<string, (sealed: Uint8Array[]) => Uint8Array[]> = {
  'with a changed byte': ([one = new Uint8Array(), ...rest]) => [one.with(2, (one[2] ?? 0) ^ 1), ...rest],
  'with one of them twice': ([one = new Uint8Array(), ...rest]) => [one, one, ...rest],
  'with one left out': ([, ...rest]) => rest,
  'with two exchanged': ([one = new Uint8Array(), two = new Uint8Array(), ...rest]) => [two, one, ...rest],
  'with a piece cut off': ([one = new Uint8Array(), ...rest]) => [one.slice(0, -1), ...rest],
  'without their end': (all) => all.slice(0, -1),
  'with an end too early': (all) => [all.at(-1) ?? new Uint8Array(), ...all],
  'with an empty message of nobody': (all) => [new Uint8Array(limits.tagBytes), ...all],
  'with one below the seal’s length': (all) => [new Uint8Array(limits.tagBytes - 1), ...all],
};
test.each(Object.entries(changes))('messages %s end the channel for both', async (_, change) => {
  const { wire: sealed, keys } = await sealedOf(['one', 'two', 'three']);
  const line = wire(change(sealed));
  const channel = over(line.channel, keys.answerer);
  await expect(read(channel)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED', details: { code: expect.any(String) } });
  expect(line.closed).toEqual([expect.stringMatching(/DECRYPTION_FAILED|INVALID_FORMAT/u)]);
  // And nothing is read after that.
  await expect(read(channel)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});

test('no message of one direction, or of another channel, is one of this', async () => {
  const { wire: sealed, keys } = await sealedOf(['one']);
  await expect(read(over(wire(sealed).channel, keys.opener))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
  const other = keysOfBoth(2).answerer;
  await expect(read(over(wire(sealed).channel, other))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});

test('a message of the limit passes, one byte more is LIMIT_EXCEEDED and uses up no number', async () => {
  const keys = keysOfBoth();
  const line = wire();
  const channel = over(line.channel, keys.opener);
  const tooLong = channel.send(new Uint8Array(messageBytesMax + 1));
  await expect(tooLong).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  await channel.send(new Uint8Array(messageBytesMax));
  await channel.close();
  expect(await read(over(wire(line.sent).channel, keys.answerer))).toEqual([new Uint8Array(messageBytesMax)]);
});

test('a key seals as many messages as it may and not one more', async () => {
  const line = wire();
  const channel = over(line.channel, keysOfBoth().opener, limits.sealedMessagesMax - 1);
  await channel.send(utf8('the last'));
  await expect(channel.send(utf8('one more'))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  expect(line.sent).toHaveLength(1);
});

test('closed twice it says one end, and takes nothing more', async () => {
  const line = wire();
  const channel = over(line.channel, keysOfBoth().opener);
  await Promise.all([channel.send(utf8('x')), channel.close(), channel.close()]);
  expect([line.sent.length, line.closed]).toEqual([2, [undefined]]);
  await expect(channel.send(utf8('late'))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});

test('keys go with the channel: nothing is sealed after it is gone', async () => {
  const { opener } = keysOfBoth();
  const line = wire();
  const channel = over(line.channel, opener);
  await channel.send(utf8('x'));
  await channel.close('STOPPED');
  expect(opener.send).toEqual(new Uint8Array(32));
  await expect(channel.send(utf8('y'))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
  expect(line.sent).toHaveLength(1);
});

test('10,000 changed messages: none is taken, nothing but our error', async () => {
  const { wire: sealed, keys } = await sealedOf(['some words that are sealed']);
  const [valid = new Uint8Array()] = sealed;
  const random = seededRandom(3);
  let taken = 0;
  for (let turn = 0; turn < 10_000; turn += 1) {
    const changed = mutated(valid, random);
    const channel = over(wire([changed]).channel, { ...keys.answerer, receive: keys.answerer.receive.slice() });
    const first = channel[Symbol.asyncIterator]().next();
    const error: unknown = await first.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (error === undefined) taken += Buffer.compare(changed, valid) === 0 ? 0 : 1;
    else if (!PeerAiError.is(error, 'CHANNEL_CLOSED')) throw error;
  }
  expect(taken).toBe(0);
}, 60_000);
