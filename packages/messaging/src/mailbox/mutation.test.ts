import { createIdentity, toHex, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { type Decoder, testMutations, through } from '../../test/mutations.ts';
import { readContent, writeLetter, writeReceipt } from '../sealed/form.ts';
import { pad, unpad } from '../sealed/seal.ts';
import { boxCodec, registrationCodec } from './boxes.ts';
import { mailboxMethod, recordMethod } from './protocol.ts';

const clock = new ManualClock();
const random = seededRandom(4);
const [alice, bob] = [createIdentity(crypto, random.bytes(32)), createIdentity(crypto, random.bytes(32))];
const nowMs = clock.nowMs();
const id = toHex(random.bytes(16));
const row = { id, kind: 'text', content: '{"a":[1,"two"]}', sentMs: nowMs, expiresMs: nowMs + 1_000 };
const read = (bytes: Uint8Array) => readContent({ crypto, clock, self: bob.peer }, bytes);

const decoders: Record<string, Decoder> = {
  'signed letter': { valid: writeLetter(alice, bob.peer, row, row), decode: read },
  receipt: { valid: writeReceipt(alice, bob.peer, { id, outcome: 'refused', code: 'REFUSED' }), decode: read },
  'padded content': { valid: pad(utf8('content')), decode: unpad },
  question: through(mailboxMethod.request, {
    verb: 'next',
    to: bob.peer,
    letter: random.bytes(20),
    after: 5,
    done: [1, 2, 3],
  }),
  answer: through(mailboxMethod.response, { place: 3, letter: random.bytes(20) }),
  'record swap': through(recordMethod.request, { record: random.bytes(50) }),
  'row of a box': through(boxCodec, { mailClass: 'member', leftMs: nowMs, letter: random.bytes(20) }),
  registration: through(registrationCodec, { seenMs: nowMs }),
};

test('what is written can be read, by its recipient alone', () => {
  const { letter, receipt } = { letter: decoders['signed letter'], receipt: decoders['receipt'] };
  expect(letter?.decode(letter.valid)).toMatchObject({
    type: 'letter',
    before: { id },
    letter: { sender: alice.peer },
  });
  expect(receipt?.decode(receipt.valid)).toMatchObject({ type: 'receipt', from: alice.peer, id, outcome: 'refused' });
  const other = (): unknown => readContent({ crypto, clock, self: alice.peer }, letter?.valid ?? new Uint8Array());
  expect(other).toThrow(expect.objectContaining({ code: 'WRONG_RECIPIENT' }));
});

test('a letter is read until it expires, however old it is, and not when it would live too long', () => {
  const lifeMs = 1_209_600_000;
  const old = { ...row, sentMs: nowMs - lifeMs + 1_000 };
  expect(read(writeLetter(alice, bob.peer, old, undefined))).toMatchObject({ type: 'letter' });
  const refused = (change: Partial<typeof row>, code: string): void =>
    expect(() => read(writeLetter(alice, bob.peer, { ...row, ...change }, undefined))).toThrow(
      expect.objectContaining({ code }),
    );
  refused({ expiresMs: nowMs - 1 }, 'EXPIRED');
  refused({ sentMs: nowMs - lifeMs + 999 }, 'LIMIT_EXCEEDED');
  const ahead = { sentMs: nowMs + 86_400_000, expiresMs: nowMs + 86_400_000 + lifeMs };
  expect(read(writeLetter(alice, bob.peer, { ...row, ...ahead }, undefined))).toMatchObject({ type: 'letter' });
  refused({ sentMs: ahead.sentMs + 1, expiresMs: ahead.expiresMs + 1 }, 'LIMIT_EXCEEDED');
  refused({ content: '{"a":1,"a":2}' }, 'INVALID_FORMAT');
  refused({ id: 'x' }, 'INVALID_FORMAT');
});

testMutations(decoders);
