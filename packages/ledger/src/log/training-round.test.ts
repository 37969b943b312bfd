import { sealSigned, type Identity, utf8, wire } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { all, crypto, ledgerWorld } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { decodeTrainingRound, encodeTrainingRound, receiptsHash, trainingRoundKind } from './training-round.ts';
import { verifyLog } from './verify-log.ts';

const hashOf = (text: string): Uint8Array => crypto.sha256(utf8(text));
const facts = {
  run: hashOf('run'),
  round: 3,
  before: hashOf('before'),
  after: hashOf('after'),
  receipts: receiptsHash(crypto, [utf8('a'), utf8('b')]),
  counted: 2,
  refused: 1,
};
/** The whole form of a receipt, as docs/protocol/train.md has it. */
const receiptForm = wire.message({
  run: wire.bytes(1),
  term: wire.uint32(2),
  round: wire.uint32(3),
  base: wire.bytes(4),
  update: wire.bytes(5),
  updateBytes: wire.uint32(6),
  loss: wire.double(7),
});
function receiptOf(
  identity: Identity,
  place: { run?: Uint8Array; round?: number; base?: Uint8Array } = {},
): Uint8Array {
  const { run, round, before: base } = facts;
  const said = { run, round, base, term: 1, update: hashOf('update'), updateBytes: 40, loss: 0.5, ...place };
  return sealSigned(identity, 'peerai/train/1 update', receiptForm.encode(said));
}
const entry = (own?: Uint8Array) => ({ kind: trainingRoundKind, body: encodeTrainingRound({ ...facts, own }) });

describe('an entry of a training round', () => {
  test('says again what it was made of, with an own receipt and without', async () => {
    const { identity } = await ledgerWorld(30);
    const own = receiptOf(identity);
    expect(decodeTrainingRound(encodeTrainingRound({ ...facts, own }))).toEqual({ version: 1, ...facts, own });
    expect(decodeTrainingRound(encodeTrainingRound(facts)).own).toBeUndefined();
  });

  test('is counted by both checks of a log', async () => {
    const { identity, ledger } = await ledgerWorld(31);
    await ledger.append([entry(), entry(receiptOf(identity)), { kind: 'note', body: utf8('other') }]);
    expect(await ledger.verify()).toEqual({ ok: true, size: 3n, checked: 3n, receipts: 0, rounds: 2 });
    const source = { note: (await ledger.checkpoint()).note, entries: await all(ledger.read(0n, 3n)) };
    expect(await verifyLog(crypto, source)).toMatchObject({ ok: true, rounds: 2 });
  });

  test.each([
    ['of another run', { run: hashOf('other') }],
    ['of another round', { round: 4 }],
    ['from another state', { base: hashOf('other') }],
  ])('with an own receipt %s is found damaged', async (_, place) => {
    const { identity, ledger } = await ledgerWorld(32);
    await ledger.append([entry(), entry(receiptOf(identity, place))]);
    expect(await ledger.verify()).toMatchObject({ ok: false, rounds: 1, firstBad: { index: 1n } });
  });

  test('with a receipt that another peer signed, or nobody, is found damaged', async () => {
    const [{ identity, ledger }, other] = [await ledgerWorld(33), await ledgerWorld(34)];
    await ledger.append([entry(receiptOf(other.identity))]);
    expect(await ledger.verify()).toMatchObject({
      ok: false,
      firstBad: { index: 0n, reason: expect.stringContaining('not of this peer') },
    });
    const forged = receiptOf(identity);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    await other.ledger.append([entry(forged)]);
    expect(await other.ledger.verify()).toMatchObject({ ok: false, firstBad: { index: 0n } });
  });

  test('has hashes of 32 bytes, version 1, and a receipt no longer than the limit', () => {
    const code = (expected: string) => expect.objectContaining({ code: expected });
    for (const name of ['run', 'before', 'after', 'receipts'] as const)
      expect(() => decodeTrainingRound(encodeTrainingRound({ ...facts, [name]: new Uint8Array(31) }))).toThrow(
        code('INVALID_FORMAT'),
      );
    const later = encodeTrainingRound(facts);
    later[1] = 2;
    expect(() => decodeTrainingRound(later)).toThrow(code('INVALID_VERSION'));
    const most = encodeTrainingRound({ ...facts, own: new Uint8Array(limits.updateReceiptBytesMax) });
    expect(decodeTrainingRound(most).own).toHaveLength(limits.updateReceiptBytesMax);
    const own = new Uint8Array(limits.updateReceiptBytesMax + 1);
    expect(() => encodeTrainingRound({ ...facts, own })).toThrow(code('LIMIT_EXCEEDED'));
  });
});

test('the hash of receipts is the same in whatever order they came, and another with one more or changed', () => {
  const of = (...texts: string[]): Uint8Array =>
    receiptsHash(
      crypto,
      texts.map((text) => utf8(text)),
    );
  expect(of('b', 'a', 'c')).toEqual(of('c', 'b', 'a'));
  expect(of('a', 'b')).not.toEqual(of('a', 'b', 'c'));
  expect(of('a', 'b')).not.toEqual(of('a', 'd'));
});
