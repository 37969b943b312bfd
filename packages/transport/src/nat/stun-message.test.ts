import { workMs } from '@peerai/config/thread-time';
import { fromHex, toHex } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { decodeStunAnswer, encodeStunQuestion } from './stun-message.ts';

const transaction = 'b7e7a701bc34d686fa87dfae';
const software = '8022000b7465737420766563746f7220';
/** RFC 5769, sections 2.2 and 2.3. */
const answer4 = fromHex(
  `0101003c2112a442${transaction}${software}002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96`,
);
const answer6 = fromHex(
  `010100482112a442${transaction}${software}002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c`,
);
const message = (head: string, ...attributes: string[]): Uint8Array => fromHex(head + attributes.join(''));

test('RFC 5769 2.2 and 2.3: the address that a server saw is read out of its answer', () => {
  expect(decodeStunAnswer(answer4)).toEqual({ transaction: fromHex(transaction), host: '192.0.2.1', port: 32_853 });
  expect(decodeStunAnswer(answer6)).toEqual({
    transaction: fromHex(transaction),
    host: '2001:db8:1234:5678:11:2233:4455:6677',
    port: 32_853,
  });
});

test('a question is 20 bytes: its kind, no attributes, the magic cookie and the transaction', () => {
  expect(toHex(encodeStunQuestion(fromHex(transaction)))).toBe(`000100002112a442${transaction}`);
});

test('the plain address of RFC 3489 counts where the mixed one is missing', () => {
  const plain = '0001000800018055c0000201';
  const mixed = '002000080001a147e112a643';
  const other = '0001000800010001c0000209';
  const only = message(`0101000c2112a442${transaction}`, plain);
  expect(decodeStunAnswer(only)).toMatchObject({ host: '192.0.2.1', port: 32_853 });
  const both = message(`010100182112a442${transaction}`, other, mixed);
  expect(decodeStunAnswer(both)).toMatchObject({ host: '192.0.2.1', port: 32_853 });
});

test.each([
  ['a question', message(`000100002112a442${transaction}`)],
  ['an error', message(`011100002112a442${transaction}`)],
  ['a message without the cookie', message(`0101000000000000${transaction}`)],
  ['an answer without an address', message(`010100002112a442${transaction}`)],
  ['an answer longer than its packet', message(`010100082112a442${transaction}`)],
  ['an attribute longer than its message', message(`0101000c2112a442${transaction}`, '002000090001a147e112a643')],
  ['an address of an unknown family', message(`0101000c2112a442${transaction}`, '002000080003a147e112a643')],
  ['an address of half a size', message(`010100082112a442${transaction}`, '002000040001a147')],
])('%s tells no address', (_name, bytes) => {
  expect(decodeStunAnswer(bytes)).toBeUndefined();
});

test('10,000 mutated answers end in an address or none, none over 50 ms', () => {
  const random = seededRandom(3_478);
  let addresses = 0;
  let slowestMs = 0;
  for (let count = 0; count < 10_000; count += 1) {
    const bytes = mutated(count % 2 === 0 ? answer4 : answer6, random);
    const one = workMs(() => (addresses += decodeStunAnswer(bytes) === undefined ? 0 : 1), 50);
    slowestMs = Math.max(slowestMs, one);
  }
  expect(addresses).toBeGreaterThan(100);
  expect(slowestMs).toBeLessThan(50);
});
