import { createIdentity, nobleCrypto, type PeerAiError, signRevocation, signSuccession } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { keyEntry, readKeyEntry } from './key-statement.ts';

const [old, next, other] = [1, 2, 3].map((byte) => createIdentity(nobleCrypto, new Uint8Array(32).fill(byte))) as [
  ReturnType<typeof createIdentity>,
  ReturnType<typeof createIdentity>,
  ReturnType<typeof createIdentity>,
];
const code = (name: string) => expect.objectContaining({ code: name }) as PeerAiError;

test('an entry about a key is read in the logs it is about, and nowhere else', () => {
  const { body } = keyEntry(signSuccession(old, next, { statedMs: 5, graceUntilMs: 9 }));
  for (const { peer } of [old, next]) expect(readKeyEntry(nobleCrypto, body, peer)).toMatchObject({ to: next.peer });
  expect(() => readKeyEntry(nobleCrypto, body, other.peer)).toThrow(code('INVALID_FORMAT'));
  const ended = keyEntry(signRevocation(old, 5)).body;
  expect(readKeyEntry(nobleCrypto, ended, old.peer)).toEqual({ kind: 'revocation', peer: old.peer, statedMs: 5 });
  expect(() => readKeyEntry(nobleCrypto, ended, next.peer)).toThrow(code('INVALID_FORMAT'));
  const forged = body.slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  expect(() => readKeyEntry(nobleCrypto, forged, old.peer)).toThrow(code('INVALID_SIGNATURE'));
  const newer = body.slice();
  newer[1] = 2;
  expect(() => readKeyEntry(nobleCrypto, newer, old.peer)).toThrow(code('INVALID_VERSION'));
});
