import { concatBytes, fromHex, PeerAiError, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { workMs } from '@peerai/config/thread-time';
import { expect, test } from 'vitest';
import { limits } from './limits.ts';
import { createLinkSecret, numberBytes, readHead } from './link-secret.ts';

const exchange = seededRandom(4).bytes(16);
const ends = () =>
  [true, false].map((initiator) =>
    createLinkSecret(nodeCrypto, {
      exchange,
      initiator,
      aead: nodeCrypto.aead['aes-256-gcm'],
      secret: seededRandom(5).bytes(32),
    }),
  ) as [ReturnType<typeof createLinkSecret>, ReturnType<typeof createLinkSecret>];

test('both ends come to the same keys, and no two channels or directions to one', () => {
  const [a, b] = ends();
  const seen = new Set<string>();
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    for (const protocol of ['/x/1', '/x/1', '/y/1']) {
      const { head, keys } = from.open(protocol);
      const answered = to.answer(protocol, readHead(head).number);
      expect([toHex(answered.send), toHex(answered.receive)]).toEqual([toHex(keys.receive), toHex(keys.send)]);
      seen.add(toHex(keys.send)).add(toHex(keys.receive));
    }
  }
  expect(seen.size).toBe(12);
});

test('another protocol than the opener’s gives other keys', () => {
  const [a, b] = ends();
  expect(toHex(b.answer('/y/1', 1).receive)).not.toBe(toHex(a.open('/x/1').keys.send));
});

test('a number is taken once, in any order; what is too old to tell is refused, at the limit and one above', () => {
  const [, b] = ends();
  const take = (number: number) => (): unknown => b.answer('/x/1', number);
  const replay = expect.objectContaining({ code: 'REPLAY_DETECTED' });
  take(3)();
  take(1)();
  expect(take(3)).toThrow(replay);
  expect(take(1)).toThrow(replay);
  take(5_000)();
  expect(take(5_000 - limits.numbersKept)).toThrow(replay);
  expect(take(5_000 - limits.numbersKept + 1)).not.toThrow();
  expect(take(5_000 - limits.numbersKept + 1)).toThrow(replay);
  for (let number = 5_001; number < 5_001 + 4 * limits.numbersKept; number += 1) take(number)();
  expect(take(5_002 + 3 * limits.numbersKept)).toThrow(replay);
});

test('after its link there are no keys', () => {
  const [a, b] = ends();
  a.erase();
  b.erase();
  b.erase();
  expect(() => a.open('/x/1')).toThrow(expect.objectContaining({ code: 'CHANNEL_CLOSED' }));
  expect(() => b.answer('/x/1', 1)).toThrow(expect.objectContaining({ code: 'CHANNEL_CLOSED' }));
});

test('a head has its length and a number from 1 up', () => {
  const head = (number: string): Uint8Array => concatBytes(exchange, fromHex(number));
  expect(readHead(concatBytes(exchange, numberBytes(7)))).toEqual({ exchange, number: 7 });
  expect(readHead(head('001fffffffffffff')).number).toBe(Number.MAX_SAFE_INTEGER);
  for (const wrong of [head('0020000000000000'), head('0000000000000000'), head('0000000000000001').slice(1)]) {
    expect(() => readHead(wrong)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  }
  expect(() => readHead(concatBytes(head('0000000000000001'), Uint8Array.of(0)))).toThrow(PeerAiError);
});

test('10,000 changed heads: nothing but our errors, nothing slow', () => {
  const valid = concatBytes(exchange, numberBytes(1));
  const random = seededRandom(6);
  for (let turn = 0; turn < 10_000; turn += 1) {
    const changed = mutated(valid, random);
    const readIt = (): void => {
      try {
        readHead(changed);
      } catch (error) {
        if (!PeerAiError.is(error, 'INVALID_FORMAT')) throw new Error(toHex(changed), { cause: error });
      }
    };
    expect(workMs(readIt, 50)).toBeLessThan(50);
  }
}, 60_000);
