import { concatBytes, signedBytes, utf8 } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { crypto } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { verifyReceiptChain } from './chain.ts';
import { countersign, type ExpectedFacts, issueReceipt, type UsageFacts } from './issue.ts';
import { decodeParts, encodeParts, openReceipt, receiptHash, receiptTag } from './receipt.ts';

const [provider, consumer, stranger] = [1, 2, 3].map((seed) => memoryWorld({ seed, crypto })) as [
  ReturnType<typeof memoryWorld>,
  ReturnType<typeof memoryWorld>,
  ReturnType<typeof memoryWorld>,
];
const workHash = crypto.sha256(utf8('prompt and answer'));
const facts = (change: Partial<UsageFacts> = {}): UsageFacts => ({
  consumer: consumer.identity.peer,
  lease: utf8('lease'),
  requestId: 'r1',
  model: 'nano',
  usage: { promptTokens: 10, answerTokens: 20 },
  workHash,
  ...change,
});
const expected = (change: Partial<ExpectedFacts> = {}): ExpectedFacts => ({
  provider: provider.identity.peer,
  lease: utf8('lease'),
  requestId: 'r1',
  model: 'nano',
  promptTokensMax: 10,
  answerTokensMax: 20,
  workHash,
  ...change,
});
const issue = (change?: Partial<UsageFacts>, previous?: Uint8Array): Uint8Array =>
  issueReceipt(provider, previous, facts(change));

describe('a receipt', () => {
  test('is signed by the provider, then by both under the same bytes', () => {
    const half = issue();
    expect(openReceipt(crypto, half)).toMatchObject({ signedBy: 'provider', receipt: { n: 1, totalAnswerTokens: 20 } });
    const full = countersign(consumer, half, undefined, expected());
    expect(openReceipt(crypto, full).signedBy).toBe('both');
    expect(receiptHash(crypto, full)).toEqual(receiptHash(crypto, half));
    const { body, consumerSignature = new Uint8Array() } = decodeParts(full);
    expect(consumerSignature).toEqual(consumer.identity.sign(signedBytes(receiptTag, body)));
  });

  test('counts up along its chain', () => {
    const first = countersign(consumer, issue(), undefined, expected());
    const half = issue({ requestId: 'r2', usage: { promptTokens: 1, answerTokens: 2, estimated: true } }, first);
    const second = countersign(consumer, half, first, expected({ requestId: 'r2' }));
    expect(openReceipt(crypto, second).receipt).toMatchObject({
      n: 2,
      estimated: true,
      totalPromptTokens: 11,
      totalAnswerTokens: 22,
      previous: receiptHash(crypto, first),
    });
    expect(verifyReceiptChain(crypto, [first, second])).toEqual({ receipts: 2, promptTokens: 11, answerTokens: 22 });
    expect(() => verifyReceiptChain(crypto, [second])).toThrow('n is wrong');
    expect(() => verifyReceiptChain(crypto, [first, first])).toThrow('n is wrong');
    expect(() => verifyReceiptChain(crypto, [first, half])).toThrow('not signed');
  });

  test('is not valid with a byte changed anywhere', () => {
    const full = countersign(consumer, issue(), undefined, expected());
    for (let place = 0; place < full.length; place += 1) {
      const other = full.slice();
      other[place] = (other[place] ?? 0) ^ 1;
      const read = (): string => openReceipt(crypto, other).signedBy;
      // The tag of the consumer's signature may be lost: what is left is a half, never another receipt.
      let signedBy = 'nobody';
      try {
        signedBy = read();
      } catch {}
      expect(signedBy, `byte ${place}`).not.toBe('both');
    }
  });
});

describe('a consumer signs only what it knows to be so', () => {
  const wrong: [string, Uint8Array, Partial<ExpectedFacts>?][] = [
    ['provider', issueReceipt(stranger, undefined, facts())],
    ['consumer', issue({ consumer: stranger.identity.peer })],
    ['lease', issue({ lease: utf8('ticketid') })],
    ['requestId', issue({ requestId: 'r9' })],
    ['model', issue({ model: 'other' })],
    ['n', issue({}, issue())],
    ['promptTokens', issue({ usage: { promptTokens: 11, answerTokens: 20 } })],
    ['answerTokens', issue({ usage: { promptTokens: 10, answerTokens: 21 } })],
    ['promptTokens', issue(), { usage: { promptTokens: 9, answerTokens: 20 } }],
    ['answerTokens', issue(), { usage: { promptTokens: 10, answerTokens: 19 } }],
    ['workHash', issue({ workHash: crypto.sha256(utf8('other')) })],
  ];
  test.each(wrong)('%s', (field, half, change) => {
    expect(() => countersign(consumer, half, undefined, expected(change))).toThrow(
      expect.objectContaining({ code: 'RECEIPT_WRONG', details: { field } }),
    );
  });

  test('running totals and the previous receipt', () => {
    const first = countersign(consumer, issue(), undefined, expected());
    const other = issue({ usage: { promptTokens: 9, answerTokens: 20 } });
    const half = issue({}, other);
    const refuse = (previous: Uint8Array, field: string): void =>
      expect(() => countersign(consumer, half, previous, expected())).toThrow(
        expect.objectContaining({ code: 'RECEIPT_WRONG', details: { field } }),
      );
    refuse(first, 'totalPromptTokens');
    refuse(issue({ usage: { promptTokens: 9, answerTokens: 19 } }), 'totalAnswerTokens');
    refuse(issue({ usage: { promptTokens: 9, answerTokens: 20 }, requestId: 'other' }), 'previous');
  });

  test('a half whose signature is not the provider’s', () => {
    const { body } = decodeParts(issue());
    const forged = encodeParts({ body, providerSignature: stranger.identity.sign(signedBytes(receiptTag, body)) });
    const code = expect.objectContaining({ code: 'INVALID_SIGNATURE' });
    expect(() => countersign(consumer, forged, undefined, expected())).toThrow(code);
    const untagged = encodeParts({ body, providerSignature: provider.identity.sign(concatBytes(body)) });
    expect(() => countersign(consumer, untagged, undefined, expected())).toThrow(code);
  });

  test('an answer that broke off is signed without the hash of what did not arrive', () => {
    const half = issue({ workHash: crypto.sha256(utf8('more than arrived')) });
    const { workHash: unknown, ...rest } = expected();
    expect(unknown).toBeDefined();
    expect(openReceipt(crypto, countersign(consumer, half, undefined, rest)).signedBy).toBe('both');
  });
});

test('each field is taken at its limit and refused one past it', () => {
  const text = (count: number): string => 'x'.repeat(count);
  const cases: [Partial<UsageFacts>, Partial<UsageFacts>][] = [
    [{ lease: new Uint8Array(limits.leaseBytesMax) }, { lease: new Uint8Array(limits.leaseBytesMax + 1) }],
    [{ requestId: text(limits.requestIdBytesMax) }, { requestId: text(limits.requestIdBytesMax + 1) }],
    [{ model: text(limits.modelNameBytesMax) }, { model: text(limits.modelNameBytesMax + 1) }],
    [
      { usage: { promptTokens: limits.answerTokensMax, answerTokens: 0 } },
      { usage: { promptTokens: limits.answerTokensMax + 1, answerTokens: 0 } },
    ],
  ];
  for (const [at, past] of cases) {
    expect(openReceipt(crypto, issue(at)).signedBy).toBe('provider');
    expect(() => issue(past)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  }
  const biggest = { ...cases[0]?.[0], ...cases[1]?.[0], ...cases[2]?.[0], ...cases[3]?.[0] };
  expect(issue(biggest).length + 66).toBeLessThan(limits.receiptBytesMax);
  expect(() => openReceipt(crypto, new Uint8Array(limits.receiptBytesMax + 1))).toThrow('too long');
  expect(() => issue({ consumer: provider.identity.peer })).toThrow('nobody gives himself');
});
