import {
  createIdentity,
  type CryptoProvider,
  equalBytes,
  fromHex,
  nobleCrypto,
  type PeerId,
  toHex,
} from '@peerai/core-protocol';
import { ManualClock, MemoryShelf, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import {
  challengedLeaves,
  chunkIdOf,
  issueStorageReceipt,
  meteredDue,
  type MeteredBook,
  type MeteredRecord,
  openStorageReceipt,
} from '@peerai/ledger/market';
import { leaseLimits } from '@peerai/ledger/lease';
import { afterEach, describe, expect, test } from 'vitest';
import type { Escrows } from '../market/escrows.ts';
import { openBorrower } from './borrower.ts';
import { closeFair, content, fair, fetched, mib, pieces, started } from '../testing/storage-fair.ts';
import { openLender } from './lender.ts';
import { storageLimits as limits } from './limits.ts';
import { sealChunks } from './seal.ts';
import { storageLeaseRequestSchema, storageOfferRequestSchema } from './storage.schema.ts';
import { plainStorageQuestion, storageMethod, type StorageQuestion } from './storage-protocol.ts';

afterEach(closeFair);
const code = (expected: string) => expect.objectContaining({ code: expected });
const random = seededRandom(3);

test('a file of as many bytes as the limit allows is sealed chunk by chunk, and the next byte is refused', async () => {
  // The bound counts what comes in: what sealing it costs is no part of it.
  const quick: CryptoProvider = {
    ...nobleCrypto,
    sha256: () => new Uint8Array(32),
    aead: { ...nobleCrypto.aead, 'aes-256-gcm': { seal: () => new Uint8Array(), open: () => new Uint8Array() } },
  };
  const chunks = limits.fileBytesMax / limits.chunkBytes;
  const piece = new Uint8Array(limits.chunkBytes);
  async function* oneMore() {
    for (let count = 0; count < chunks; count += 1) yield piece;
    yield Uint8Array.of(1);
  }
  const places: number[] = [];
  const key = { id: 'ab'.repeat(16), key: new Uint8Array(32) };
  const sealed = sealChunks(quick, key, oneMore(), async ({ place }) => void places.push(place));
  await expect(sealed).rejects.toThrow(code('LIMIT_EXCEEDED'));
  expect([places.length, places.at(-1)]).toEqual([chunks, chunks - 1]);
});

test('so many files are stored at others; one more is refused until one is removed', async () => {
  const { world, borrower, lender, shelf, lease, put } = await fair();
  const { id } = await lease();
  await put(id, 'first', content.subarray(0, 10));
  // All but two of the rest, as other leases would have left them: rows like the one that is there.
  const stores = [world.kill(lender), world.kill(borrower)] as const;
  started.length = 0;
  const rows = stores[1].room('storage').room('borrowed');
  for await (const { value } of rows.range('file/', 'file0')) {
    const row = JSON.parse(new TextDecoder().decode(value)) as object;
    const others = Array.from({ length: limits.filesMax - 2 }, (_, at) => `${at}`.padStart(32, '0'));
    const more = others.map((file) => ({ ...row, id: file, lease: 'ee'.repeat(32), name: file }));
    await rows.commit(more.map((one) => rows.put(`file/${one.id}`, new TextEncoder().encode(JSON.stringify(one)))));
  }
  started.push(await world.peer('lender', { seed: 1, store: stores[0], shelf }));
  const back = await world.peer('borrower', { seed: 2, store: stores[1], engine: false, shelf: new MemoryShelf() });
  started.push(back);
  const again = (name: string) => put(id, name, content.subarray(0, 20), back);
  await again('last');
  expect((await back.peer.market.storage.view()).files).toHaveLength(limits.filesMax);
  await expect(again('one more')).rejects.toThrow(code('LIMIT_REACHED'));
  await back.peer.market.storage.remove('first', new AbortController().signal);
  await again('one more');
});

test('a name is as long as the limit allows, and what is offered and asked for as much', async () => {
  const { world, borrower, lease, put } = await fair();
  const { id } = await lease();
  const longest = 'x'.repeat(limits.nameCharsMax);
  await put(id, longest, content.subarray(0, 1));
  await expect(put(id, `${longest}x`, content.subarray(0, 1))).rejects.toThrow(code('INVALID_FORMAT'));
  expect(await fetched(world, borrower, longest)).toEqual(content.subarray(0, 1));
  const offers = (bytes: number) => storageOfferRequestSchema.safeParse({ bytes, credits: '1' }).success;
  expect([offers(limits.offeredBytesMax), offers(limits.offeredBytesMax + 1), offers(0)]).toEqual([true, false, false]);
  const asks = (bytes: number) => storageLeaseRequestSchema.safeParse({ peer: 'desk', bytes }).success;
  expect([asks(16_384 * mib), asks(16_384 * mib + 1), asks(0)]).toEqual([true, false, false]);
});

const borrowing = createIdentity(nobleCrypto, random.bytes(32));
/** The newest receipt that both signed, as a book notes it. */
const booked = (record: object) => async (signed: Uint8Array) =>
  Object.assign(record, { n: openStorageReceipt(nobleCrypto, signed).receipt.n, receipt: signed });
/** A lender of one lease that runs, as a borrower of any make sees it. */
async function lending() {
  const clock = new ManualClock();
  const [own, other] = [createIdentity(nobleCrypto, random.bytes(32)), 'borrower' as PeerId];
  const id = '5a'.repeat(32);
  const terms = {
    version: 1,
    lender: own.peer,
    borrower: borrowing.peer,
    resource: 'storage',
    subject: '',
    unitPrice: 1_000_000n,
    unitsMax: mib,
    minutes: 600,
    startMs: clock.nowMs(),
    nonce: new Uint8Array(16),
  } as const;
  const sinceMs = clock.nowMs();
  const record: Partial<MeteredRecord> & { -readonly [key in 'n' | 'endedMs' | 'receipt']?: MeteredRecord[key] } = {
    id,
    peer: other,
    role: 'lender',
    state: 'active',
    sinceMs,
    terms,
    used: 0n,
    n: 0,
  };
  const receipt = booked(record);
  const covered = { now: true };
  const book = { get: () => record, list: () => [record], receipt } as unknown as MeteredBook;
  const lender = await openLender({
    identity: own,
    crypto: nobleCrypto,
    clock,
    store: new MemoryStore(),
    shelf: new MemoryShelf(),
    book,
    escrows: {} as Escrows,
    isCovered: () => covered.now,
    offer: { get: () => undefined, set: async () => undefined },
    changed: (lease) => lease,
    admit: () => undefined,
    stopping: new AbortController().signal,
  });
  const ask = (question: Partial<StorageQuestion> & Pick<StorageQuestion, 'kind'>, from = other) =>
    lender.answer(from, { ...plainStorageQuestion, lease: fromHex(id), ...question });
  const put = (data: Uint8Array, name = chunkIdOf(nobleCrypto, data)) =>
    ask({ kind: 'put', chunk: fromHex(name), data });
  return { ask, put, clock, record, own, covered, look: () => lender.look(), heldBytes: () => lender.heldBytes(id) };
}

describe('a lender', () => {
  test('takes chunks between the shortest and the longest that sealing makes, under their own names', async () => {
    const { put, heldBytes } = await lending();
    const longest = limits.chunkBytes + limits.sealBytes;
    for (const bytes of [limits.sealBytes, longest]) await put(random.bytes(bytes));
    expect(heldBytes()).toBe(limits.sealBytes + longest);
    for (const bytes of [0, limits.sealBytes - 1, longest + 1])
      await expect(put(random.bytes(bytes))).rejects.toThrow(code('LIMIT_EXCEEDED'));
    await expect(put(random.bytes(100), 'ab'.repeat(32))).rejects.toThrow(code('HASH_MISMATCH'));
    expect(heldBytes()).toBe(limits.sealBytes + longest);
  });

  test('shows as many leaves as the shortest chunks there are need, and never more than one answer holds', async () => {
    const { ask, put } = await lending();
    for (let count = 0; count < 100; count += 1) await put(random.bytes(limits.sealBytes));
    const { request, response } = storageMethod;
    const nonce = request.decode(
      request.encode({ ...plainStorageQuestion, kind: 'challenge', nonce: random.bytes(32) }),
    ).nonce;
    const answer = await ask({ kind: 'challenge', nonce });
    expect(response.decode(response.encode(answer)).leaves.length).toBeGreaterThan(40);
    const shortest = Array.from({ length: 5_000 }, () => ({ id: toHex(random.bytes(32)), bytes: limits.sealBytes }));
    const counts = Array.from({ length: 10 }, () => challengedLeaves(nobleCrypto, random.bytes(32), shortest).length);
    // Some ranges of a draw begin where a chunk does, and touch one less.
    expect(Math.max(...counts)).toBeLessThanOrEqual(limits.leavesMax);
    expect(Math.max(...counts)).toBeGreaterThan(limits.leavesMax - 5);
  });

  test('has one receipt at a time unsigned: the same question gets the same, another gets none', async () => {
    const { ask, put } = await lending();
    await put(random.bytes(1_000));
    const [nonce, another] = [random.bytes(32), random.bytes(32)];
    const { document } = await ask({ kind: 'challenge', nonce });
    expect(openStorageReceipt(nobleCrypto, document ?? new Uint8Array())).toMatchObject({ signedBy: 'lender' });
    const repeated = await ask({ kind: 'challenge', nonce });
    expect(equalBytes(repeated.document ?? new Uint8Array(), document ?? new Uint8Array())).toBe(true);
    await expect(ask({ kind: 'challenge', nonce: another })).rejects.toThrow(code('RECEIPT_UNSIGNED'));
    await expect(ask({ kind: 'challenge', nonce }, 'stranger' as PeerId)).rejects.toThrow(code('LEASE_UNKNOWN'));
  });

  test.each([
    ['as long as it was', limits.proofGapMs, limits.proofGapMs],
    ['no longer than one proof pays for', limits.proofGapMs + 1, limits.proofGapMs],
  ])('is paid for the time since the proof before, %s', async (_, gapMs, paidMs) => {
    const { ask, put, clock } = await lending();
    await put(random.bytes(1_000));
    const first = await ask({ kind: 'challenge', nonce: random.bytes(32) });
    await clock.advance(gapMs);
    const next = await ask({ kind: 'challenge', nonce: random.bytes(32), ...signedOf(first) });
    const { receipt } = openStorageReceipt(nobleCrypto, next.document ?? new Uint8Array());
    expect(receipt.byteMs).toBe(1_000n * BigInt(paidMs));
  });

  test('keeps what was stored so long after the end, and then no more', async () => {
    const { put, clock, record, look, heldBytes } = await lending();
    await put(random.bytes(1_000));
    record.endedMs = clock.nowMs();
    for (const [ms, kept] of [
      [limits.keptMs - 1, 1_000],
      [1, 0],
    ] as const) {
      await clock.advance(ms);
      await look();
      expect(heldBytes()).toBe(kept);
    }
  });
});
const signedOf = ({ document }: { readonly document?: Uint8Array | undefined }) =>
  document === undefined ? {} : { document };

test('a lender takes and shows nothing more while too much of what it did is not endorsed for the contract', async () => {
  const { put, ask, covered } = await lending();
  const data = random.bytes(1_000);
  covered.now = false;
  const challenge = () => ask({ kind: 'challenge', nonce: random.bytes(32) });
  for (const asking of [() => put(data), challenge]) await expect(asking()).rejects.toThrow(code('ANSWERS_UNENDORSED'));
  covered.now = true;
  for (const asking of [() => put(data), challenge]) await expect(asking()).resolves.toBeDefined();
});

test('a borrower signs for no more time than one proof pays for, whatever its lender claims', async () => {
  const claimed = async (overMs: number) => {
    const { ask, clock, record, own } = await lending();
    const [mine, { terms }] = [{ ...record } as MeteredRecord, record];
    if (terms === undefined) throw new Error('no terms');
    const borrower = await openBorrower({
      identity: borrowing,
      crypto: nobleCrypto,
      clock,
      random,
      store: new MemoryStore(),
      book: { get: () => mine, receipt: booked(mine) } as unknown as MeteredBook,
      changed: (lease) => lease,
      counted: () => undefined,
      refused: async () => undefined,
      async ask(_, question) {
        const answer = await ask({ ...question, kind: question.kind });
        if (question.kind !== 'challenge' || claimMs === 0) return answer;
        const { receipt } = openStorageReceipt(nobleCrypto, answer.document ?? new Uint8Array());
        const byteMs = BigInt(receipt.heldBytes) * BigInt(claimMs);
        const lie = { ...receipt, byteMs, due: meteredDue(terms, byteMs) };
        return { ...answer, document: issueStorageReceipt({ identity: own }, lie) };
      },
    });
    let claimMs = 0;
    await borrower.put(mine, 'x', pieces(content.subarray(0, 1_000)), new AbortController().signal);
    await clock.advance(2 * limits.proofGapMs);
    claimMs = limits.proofGapMs + leaseLimits.heldSlackMs + overMs;
    return borrower.prove(mine, new AbortController().signal);
  };
  await expect(claimed(0)).resolves.toBeDefined();
  await expect(claimed(1)).rejects.toThrow(code('RECEIPT_WRONG'));
});
