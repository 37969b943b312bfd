import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, silentLogger } from '@peerai/core-protocol/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { Escrows } from '../market/escrows.ts';
import { records } from '../store/records.ts';
import type { EscrowedLease } from '../market/escrowed-lease.ts';
import { type ChainEscrowParts, createChainEscrows } from './chain-escrows.ts';
import { type Deposit, openDeposits } from './deposits.ts';
import { settlementLimits as limits } from './limits.ts';
import type { ChainDeps } from './room.ts';

const stopping: AbortController[] = [];
afterEach(() => {
  for (const one of stopping.splice(0)) one.abort();
});
const places = (count: number): number[] => Array.from({ length: count }, (_, place) => place);
const lease = 'ab'.repeat(32);
const code = (expected: string) => expect.objectContaining({ code: expected });
/** A deposit whose lease is over, with the borrower's word for its first answer. */
const plain = {
  lease,
  of: 'model',
  role: 'lender',
  peer: 'other' as PeerId,
  state: 'open',
  amountMicro: '9',
  paidMicro: '0',
  endsMs: 0,
  refundMs: Number.MAX_SAFE_INTEGER,
  sinceMs: 0,
  reference: 'x',
  opened: null,
  closed: null,
  failure: null,
  endorsed: { n: 1, dueMicro: '5', receipt: '', endorsement: '' },
} as const satisfies Deposit;

/** What is done on the chain for one deposit, and after how many milliseconds; it never ends there unless a test says so. */
async function chain(
  change: Partial<Deposit>,
  { n = 1, open = false, does = {} }: { n?: number; open?: boolean; does?: Partial<ChainEscrowParts['onChain']> } = {},
) {
  const over = new AbortController();
  stopping.push(over);
  const clock = new ManualClock(0);
  const deposits = await openDeposits(new MemoryStore());
  const done: string[] = [];
  await deposits.put({ ...plain, ...change });
  const note = (what: string) => async () => {
    done.push(`${what} ${clock.nowMs()}`);
    return undefined as never;
  };
  const onChain = { settle: note('settle'), refund: note('refund'), look: note('look'), open: note('open'), ...does };
  const record = { id: lease, n, lastN: n, due: 9n, isOpen: open } as EscrowedLease;
  const parts = { onChain, deposits, meet: async () => undefined };
  const book = { find: () => record, changed: () => undefined, took: async () => undefined, local: {} as Escrows };
  const world = { clock, logger: silentLogger, stopping: over.signal, chain: { settles: true }, identity: {} };
  const all = createChainEscrows(world as unknown as ChainDeps, parts as unknown as ChainEscrowParts);
  const escrows = all.of('metered', book);
  return { clock, deposits, done, escrows };
}
const sumsOf = (waits: readonly number[]): number[] =>
  waits.map((_, at) => waits.slice(0, at + 1).reduce((sum, one) => sum + one, 0));

describe('what is due for a deposit', () => {
  test('is done at the first look, and after each failure twice as late, up to the longest wait', async () => {
    const tried: number[] = [];
    const settle = async (): Promise<never> => {
      tried.push(clock.nowMs());
      throw new PeerAiError('SETTLEMENT_FAILED', 'no node');
    };
    const { clock, deposits } = await chain({}, { does: { settle } });
    const doubled = places(6).map((times) => limits.retryMsMin * 2 ** times);
    const waits = [limits.lookMs, ...doubled, limits.retryMsMax, limits.retryMsMax];
    expect(doubled.at(-1)).toBeLessThan(limits.retryMsMax);
    expect(2 * (doubled.at(-1) ?? 0)).toBeGreaterThan(limits.retryMsMax);
    const expected = sumsOf(waits);
    for (const atMs of expected) {
      await clock.advance(atMs - 1 - clock.nowMs());
      expect(tried).not.toContain(atMs);
      await clock.advance(1);
    }
    expect(tried).toEqual(expected);
    expect(deposits.get(lease)?.failure).toMatchObject({ code: 'SETTLEMENT_FAILED' });
  });

  test('of the borrower is a look now and then', async () => {
    const { clock, done } = await chain({ role: 'borrower' });
    await clock.advance(limits.lookMs + 2 * limits.watchMs);
    expect(done).toEqual([0, 1, 2].map((times) => `look ${limits.lookMs + times * limits.watchMs}`));
  });

  test('takes no longer than one step may', async () => {
    const ended: unknown[] = [];
    const settle = (_: unknown, __: unknown, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          ended.push(clock.nowMs());
          reject(signal.reason as Error);
        });
      });
    const { clock } = await chain({}, { does: { settle } });
    await clock.advance(limits.lookMs + limits.stepMs - 1);
    expect(ended).toEqual([]);
    await clock.advance(1);
    expect(ended).toEqual([limits.lookMs + limits.stepMs]);
  });
  /** The time of the first look: what ends then, and what a millisecond later. */
  const now = limits.lookMs;
  test.each<[string, Partial<Deposit>, number, string[]]>([
    ['waits for the last word until its patience ends', { endsMs: now + 1 - limits.patienceMs }, 2, []],
    ['hands in what it has then', { endsMs: now - limits.patienceMs }, 2, [`settle ${now}`]],
    ['hands in at once what is the last', { endsMs: now }, 1, [`settle ${now}`]],
    ['hands in until the last moment', { refundMs: now + 1 }, 1, [`settle ${now}`]],
    ['hands in nothing from then on', { refundMs: now }, 1, [`look ${now}`]],
    ['as a borrower takes nothing back before', { role: 'borrower', refundMs: now + 1 }, 1, [`look ${now}`]],
  ])('a lender %s', async (_, change, n, expected) => {
    const { clock, done } = await chain(change, { n });
    await clock.advance(now);
    expect(done).toEqual(expected);
  });

  test('a borrower takes back what is still there from then on', async () => {
    const look = async () => ({ state: 'open' }) as never;
    const { clock, done } = await chain({ role: 'borrower', refundMs: now }, { does: { look } });
    await clock.advance(now);
    expect(done).toEqual([`refund ${now}`]);
  });
});

test('a deposit goes back so long after its lease, and opening it takes no longer than a step', async () => {
  const asked: { readonly refundMs: number }[] = [];
  let ended: unknown;
  const open = (wanted: { readonly refundMs: number }, signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      asked.push(wanted);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  const { clock, escrows } = await chain({}, { open: true, does: { open } });
  const document = { kind: 'metered', terms: { resource: 'model' } };
  const record = { id: lease, peer: plain.peer, document, price: 1n, endsMs: 60_007 } as unknown as EscrowedLease;
  escrows.open(record, new AbortController().signal).catch((error: unknown) => (ended = error));
  await clock.advance(limits.stepMs - 1);
  expect([ended, asked.map(({ refundMs }) => refundMs)]).toEqual([undefined, [7 + 60_000 + limits.handInMs]]);
  await clock.advance(1);
  expect(ended).toEqual(code('TIMEOUT'));
});

test.each([
  [limits.unendorsedMax, true],
  [limits.unendorsedMax + 1, false],
])('%i answers, of which the borrower endorsed the first, are covered: %s', async (n, isCovered) => {
  const { escrows } = await chain({}, { n, open: true });
  expect(escrows.isCovered(lease)).toBe(isCovered);
});

test('so many deposits that are over are listed; the oldest goes, what it came to stays', async () => {
  const store = new MemoryStore();
  const rows = records<Deposit>(store, 'deposit');
  const deposit = (place: number): Deposit => ({
    ...plain,
    lease: `${place}`,
    state: 'settled',
    paidMicro: '1',
    sinceMs: place,
  });
  await store.commit(places(limits.overKeptMax - 1).map((place) => rows.put(`${place}`, deposit(place))));
  const deposits = await openDeposits(store);
  await deposits.put({ ...deposit(5_000), state: 'open' });
  for (const [place, isKept] of [
    [limits.overKeptMax, true],
    [limits.overKeptMax + 1, false],
  ] as const) {
    await deposits.put(deposit(place));
    expect(deposits.get('0') !== undefined).toBe(isKept);
    for (const all of [deposits, await openDeposits(store)]) {
      expect(all.list()).toHaveLength(limits.overKeptMax + 1);
      expect(all.paid(plain.peer).toUs).toBe(BigInt(isKept ? limits.overKeptMax : limits.overKeptMax + 1) + 1n);
    }
  }
});

test('a deposit from before leases of other things could lie there is of a model', async () => {
  const store = new MemoryStore();
  const { of: _, ...old } = plain;
  await store.commit([records<typeof old>(store, 'deposit').put(lease, old)]);
  expect((await openDeposits(store)).get(lease)).toEqual(plain);
});
