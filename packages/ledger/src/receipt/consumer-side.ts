import { equalBytes } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { ReceiptBook, SideDeps } from './book.ts';
import { chainOf, keep, keptKey, newestKey } from './book-rows.ts';
import { receiptWrong } from './chain.ts';
import { countersign, type ExpectedFacts } from './issue.ts';
import { decodeParts, openReceipt, readReceipt, receiptEntry, type UsageReceipt } from './receipt.ts';

type ConsumerSide = Pick<ReceiptBook, 'countersign'>;

export function createConsumerSide(deps: SideDeps): ConsumerSide {
  const { locks, bell } = deps;
  return {
    countersign: async (half, expected, signal) => {
      const { receipt } = openReceipt(deps.crypto, half);
      if (receipt.consumer !== deps.identity.peer) throw receiptWrong('consumer', 'it is made out to somebody else');
      const name = `taken/${chainOf(receipt.provider, receipt.lease)}`;
      const full =
        (await locks.run(name, () => sign(deps, half, receipt, expected, false))) ??
        (await signInTurn(deps, name, half, receipt, expected, signal));
      bell.ring(name);
      return full;
    },
  };
}

/** Tries again after each receipt of the chain that is signed meanwhile; when patience ends the gap is an error. */
async function signInTurn(
  deps: SideDeps,
  name: string,
  half: Uint8Array,
  receipt: UsageReceipt,
  expected: ExpectedFacts,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const done = new AbortController();
  const parent = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
  const patience = deps.clock.deadline(limits.receiptOrderWaitMs, parent);
  try {
    for (;;) {
      const seen = deps.bell.rings;
      const isLast = patience.aborted;
      const full = await deps.locks.run(name, () => sign(deps, half, receipt, expected, isLast));
      if (full !== undefined) return full;
      await deps.bell.next(name, seen, patience).catch(() => signal?.throwIfAborted());
    }
  } finally {
    done.abort();
  }
}

/** `undefined`: not its turn yet; when `isLast` that is RECEIPT_WRONG instead. */
async function sign(
  deps: SideDeps,
  half: Uint8Array,
  receipt: UsageReceipt,
  expected: ExpectedFacts,
  isLast: boolean,
): Promise<Uint8Array | undefined> {
  const { store, ledger } = deps;
  const chain = chainOf(receipt.provider, receipt.lease);
  const newest = await store.get(newestKey('taken', chain));
  const signed = newest === undefined ? 0 : readReceipt(newest).n;
  if (receipt.n <= signed) return repeat(deps, half, receipt);
  if (receipt.n > signed + 1 && !isLast) return undefined;
  const full = countersign(deps, half, newest, expected);
  await ledger.append(
    [receiptEntry(full)],
    [store.put(newestKey('taken', chain), full), ...keep(store, 'taken', chain, full)],
  );
  return full;
}

async function repeat({ store }: SideDeps, half: Uint8Array, receipt: UsageReceipt): Promise<Uint8Array> {
  const kept = await store.get(keptKey('taken', chainOf(receipt.provider, receipt.lease), receipt.n));
  if (kept === undefined) throw receiptWrong('n', 'it was signed long ago');
  if (!equalBytes(decodeParts(kept).body, decodeParts(half).body))
    throw receiptWrong('n', 'another receipt has this place');
  return kept;
}
