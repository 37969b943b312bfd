import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { amountsOf, leased, type LeaseEvent, type LeaseProgress, offered, stepLease } from './machine.ts';

const price = 1_000n;
const run = (lease: LeaseProgress, ...events: readonly LeaseEvent[]): LeaseProgress =>
  events.reduce((before, event) => stepLease(before, event), lease);
const mark = (type: 'issued' | 'signed' | 'booked', n: number, due: bigint): LeaseEvent => ({ type, n, due });
const accepted: LeaseEvent = { type: 'accepted' };
const ended: LeaseEvent = { type: 'ended' };
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a lease at the borrower', () => {
  test('locks the price, and has it back when nobody accepts', () => {
    expect(amountsOf(offered(price))).toEqual({ paid: 0n, locked: price, refunded: 0n });
    const over = run(offered(price), ended);
    expect([over.state, amountsOf(over)]).toEqual(['refunded', { paid: 0n, locked: 0n, refunded: price }]);
    expect(() => run(over, accepted)).toThrow(code('LEASE_STATE'));
  });

  test('has what was not used back when the time is over, and holds what it signed for until that has arrived', () => {
    const closing = run(offered(price), accepted, mark('signed', 1, 300n), ended);
    expect([closing.state, amountsOf(closing)]).toEqual(['closing', { paid: 0n, locked: 300n, refunded: 700n }]);
    const over = run(closing, mark('booked', 1, 300n));
    expect([over.state, amountsOf(over)]).toEqual(['settled', { paid: 300n, locked: 0n, refunded: 700n }]);
  });

  test('ends at once when all that was signed has arrived, or nothing was', () => {
    expect(run(offered(price), accepted, ended).state).toBe('refunded');
    expect(run(offered(price), accepted, mark('signed', 1, 5n), mark('booked', 1, 5n), ended).state).toBe('settled');
  });

  test('signs places in their order, amounts that only grow, and nothing above the price', () => {
    const active = run(offered(price), accepted, mark('signed', 1, 300n));
    for (const event of [
      mark('signed', 1, 300n),
      mark('signed', 3, 400n),
      mark('signed', 2, 299n),
      mark('signed', 2, price + 1n),
    ])
      expect(() => run(active, event)).toThrow(code('RECEIPT_WRONG'));
    expect(run(active, mark('signed', 2, price)).signed).toEqual({ n: 2, due: price });
    expect(() => run(active, ended, mark('signed', 2, 400n))).toThrow(code('LEASE_STATE'));
    expect(() => run(active, mark('booked', 2, 300n))).toThrow(code('LEASE_STATE'));
  });
});

describe('a lease at the lender', () => {
  test('earns what both signed, run by run', () => {
    const one = run(leased(price), mark('issued', 1, 200n));
    expect(amountsOf(one)).toEqual({ paid: 0n, locked: price, refunded: 0n });
    expect(() => run(one, mark('issued', 2, 300n))).toThrow(code('LEASE_STATE'));
    const two = run(one, mark('signed', 1, 200n), mark('issued', 2, 300n));
    expect(amountsOf(two)).toEqual({ paid: 200n, locked: 800n, refunded: 0n });
    const closing = run(two, ended);
    expect([closing.state, amountsOf(closing)]).toEqual(['closing', { paid: 200n, locked: 100n, refunded: 700n }]);
    expect(run(closing, mark('signed', 2, 300n)).state).toBe('settled');
  });

  test('is disputed when the borrower’s last word leaves a run out, and settled when it signs after all', () => {
    const left = run(leased(price), mark('issued', 1, 200n), { type: 'closed' });
    expect([left.state, amountsOf(left)]).toEqual(['disputed', { paid: 0n, locked: 200n, refunded: 800n }]);
    expect(run(left, mark('signed', 1, 200n)).state).toBe('settled');
    expect(run(leased(price), { type: 'closed' }).state).toBe('refunded');
  });

  test('takes no receipt that it never gave', () => {
    const one = run(leased(price), mark('issued', 1, 200n));
    for (const event of [mark('signed', 2, 200n), mark('signed', 1, 201n)])
      expect(() => run(one, event)).toThrow(code('RECEIPT_WRONG'));
  });
});

describe('a dispute that one side signed', () => {
  const declared: LeaseEvent = { type: 'declared' };
  test('locks nothing but what was signed, and takes a late signature without ending as agreed', () => {
    const lender = run(
      leased(price),
      mark('issued', 1, 200n),
      mark('signed', 1, 200n),
      mark('issued', 2, 500n),
      declared,
    );
    expect([lender.state, amountsOf(lender)]).toEqual(['disputed', { paid: 200n, locked: 0n, refunded: 800n }]);
    const late = run(lender, mark('signed', 2, 500n));
    expect([late.state, amountsOf(late)]).toEqual(['disputed', { paid: 500n, locked: 0n, refunded: 500n }]);
    const borrower = run(offered(price), accepted, mark('signed', 1, 200n), declared);
    expect(amountsOf(borrower)).toEqual({ paid: 0n, locked: 200n, refunded: 800n });
    const heard = run(borrower, mark('booked', 1, 200n));
    expect([heard.state, amountsOf(heard)]).toEqual(['disputed', { paid: 200n, locked: 0n, refunded: 800n }]);
  });

  test('is said of a lease that both signed and that is not over', () => {
    const over = run(leased(price), { type: 'closed' });
    for (const lease of [over, offered(price)]) expect(() => run(lease, declared)).toThrow(code('LEASE_STATE'));
    expect(() => run(over, declared)).toThrow(/^a lease that is \w+ cannot be disputed$/u);
    expect(run(leased(price), mark('issued', 1, 5n), { type: 'closed' }, declared).declared).toBe(true);
  });
});

test('what comes twice changes nothing', () => {
  const states: [LeaseProgress, LeaseEvent][] = [
    [run(offered(price), accepted), accepted],
    [run(offered(price), accepted, ended), ended],
    [run(offered(price), accepted, mark('signed', 1, 5n), mark('booked', 1, 5n)), mark('booked', 1, 5n)],
    [run(leased(price), mark('issued', 1, 5n), mark('signed', 1, 5n)), mark('signed', 1, 5n)],
    [run(leased(price), { type: 'closed' }), { type: 'closed' }],
    [run(offered(price), accepted, { type: 'disputed' }), { type: 'disputed' }],
    [run(leased(price), { type: 'declared' }), { type: 'declared' }],
  ];
  for (const [lease, event] of states) expect(stepLease(lease, event)).toBe(lease);
});

describe('what one side loses is what the other gains', () => {
  /** Two sides, and a line between them that may lose a question or an answer; either side may end at any point. */
  const steps = fc.array(
    fc.record({
      what: fc.constantFrom('run', 'run', 'run', 'borrower ends', 'lender ends', 'settle', 'disagree'),
      lost: fc.constantFrom('nothing', 'nothing', 'question', 'answer'),
      costs: fc.bigInt({ min: 0n, max: 200n }),
    }),
    { maxLength: 12 },
  );
  type Step = { readonly what: string; readonly lost: string; readonly costs: bigint };
  const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

  function play(all: readonly Step[], check: (a: LeaseProgress, b: LeaseProgress) => void) {
    let [borrower, lender] = [run(offered(price), accepted), leased(price)];
    for (const { what, lost, costs } of all) {
      if (what === 'borrower ends') borrower = run(borrower, ended);
      else if (what === 'lender ends') lender = run(lender, ended);
      else if (what === 'disagree') borrower = run(borrower, { type: 'disputed' });
      else if (lost !== 'question') {
        // The question brings the newest signature; a run is answered by a receipt, the same again when that was lost.
        const isLast = what === 'settle' && borrower.state !== 'active';
        if (borrower.signed.n > 0) lender = run(lender, { type: 'signed', ...borrower.signed });
        if (isLast) lender = run(lender, { type: 'closed' });
        const mayRun = what === 'run' && borrower.state === 'active' && lender.state === 'active';
        if (mayRun && lender.issued.n === borrower.signed.n)
          lender = run(lender, mark('issued', lender.issued.n + 1, least(price, lender.issued.due + costs)));
        check(borrower, lender);
        if (lost !== 'answer') {
          borrower = run(borrower, { type: 'booked', ...borrower.signed });
          if (what === 'run' && borrower.state === 'active' && lender.issued.n > borrower.signed.n)
            borrower = run(borrower, { type: 'signed', ...lender.issued });
        }
      }
      check(borrower, lender);
    }
    return { borrower, lender };
  }

  test('at every point, but for what is locked; and to the micro-credit once both have spoken', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(steps, (all) => {
        const check = (borrower: LeaseProgress, lender: LeaseProgress): void => {
          const [ours, theirs] = [amountsOf(borrower), amountsOf(lender)];
          for (const { paid, locked, refunded } of [ours, theirs])
            if (paid + locked + refunded !== price || paid < 0n || locked < 0n || refunded < 0n)
              throw new Error(`${paid} + ${locked} + ${refunded}`);
          if (theirs.paid < ours.paid || theirs.paid > ours.paid + ours.locked)
            throw new Error(`${theirs.paid} earned, ${ours.paid} paid, ${ours.locked} locked`);
        };
        let { borrower, lender } = play(all, check);
        // Both are there again: the borrower ends and says its last word until it has an answer.
        borrower = run(borrower, ended);
        if (borrower.signed.n > 0) lender = run(lender, { type: 'signed', ...borrower.signed });
        lender = run(lender, { type: 'closed' });
        borrower = run(borrower, { type: 'booked', ...borrower.signed });
        check(borrower, lender);
        expect(amountsOf(lender).paid).toBe(amountsOf(borrower).paid);
        expect(amountsOf(borrower).locked).toBe(0n);
        seen.add(borrower.state).add(lender.state);
      }),
      { numRuns: 1_000, seed: 4 },
    );
    expect([...seen].toSorted()).toEqual(['disputed', 'refunded', 'settled']);
  });
});
