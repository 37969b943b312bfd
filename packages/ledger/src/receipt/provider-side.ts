import { equalBytes, PeerAiError, type PeerId, type Row } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { ReceiptBook, SideDeps } from './book.ts';
import { chainOf, isHalf, keep, keptKey, newestKey, openKey, openRows } from './book-rows.ts';
import { receiptWrong } from './chain.ts';
import { issueReceipt } from './issue.ts';
import { decodeParts, openReceipt, readReceipt, receiptEntry, type UsageReceipt } from './receipt.ts';

type ProviderSide = Pick<ReceiptBook, 'issue' | 'owes' | 'unsigned' | 'open' | 'settled' | 'complete'>;

export function createProviderSide(deps: SideDeps): ProviderSide {
  const { store, locks, bell } = deps;
  const unsigned = async (consumer: PeerId, lease: Uint8Array): Promise<Uint8Array[]> => {
    const rows = await openRows(store, chainOf(consumer, lease));
    return rows.map(({ value }) => value).filter(isHalf);
  };
  const owes = async (consumer: PeerId, lease: Uint8Array): Promise<boolean> =>
    (await unsigned(consumer, lease)).length > 0;
  return {
    unsigned,
    owes,
    open: async (consumer, lease) => (await openRows(store, chainOf(consumer, lease))).length,
    issue: (facts, alongside = []) => {
      const chain = chainOf(facts.consumer, facts.lease);
      return locks.run(`given/${chain}`, async () => {
        const open = await openRows(store, chain);
        const same = open.find(({ value }) => readReceipt(value).requestId === facts.requestId);
        if (same !== undefined) return same.value;
        if (open.length >= limits.pendingReceiptsMax) {
          throw new PeerAiError('LIMIT_REACHED', `${open.length} receipts of this peer are unsigned`);
        }
        const half = issueReceipt(deps, await store.get(newestKey('given', chain)), facts);
        const rows = [store.put(newestKey('given', chain), half), store.put(openKey(chain, readReceipt(half).n), half)];
        await store.commit([...rows, ...alongside]);
        return half;
      });
    },
    settled: async (consumer, lease, signal) => {
      const chain = `given/${chainOf(consumer, lease)}`;
      for (;;) {
        const seen = bell.rings;
        if (!(await owes(consumer, lease))) return;
        await bell.next(chain, seen, signal);
      }
    },
    complete: async (full) => {
      const { receipt, signedBy } = openReceipt(deps.crypto, full);
      if (signedBy !== 'both') throw new PeerAiError('INVALID_SIGNATURE', 'the consumer has not signed this receipt');
      if (receipt.provider !== deps.identity.peer) throw receiptWrong('provider', 'it was given by somebody else');
      const chain = chainOf(receipt.consumer, receipt.lease);
      await locks.run(`given/${chain}`, () => file(deps, chain, receipt, full));
      bell.ring(`given/${chain}`);
    },
  };
}

/** Into the log with every full receipt whose turn has come; to one side while an earlier half of the chain is open. */
async function file(deps: SideDeps, chain: string, receipt: UsageReceipt, full: Uint8Array): Promise<void> {
  const { store, ledger } = deps;
  const open = await openRows(store, chain);
  const own = open.find(({ key }) => key === openKey(chain, receipt.n));
  if (own === undefined) return checkFiled(deps, chain, receipt, full);
  if (!isSameBody(own.value, full)) throw receiptWrong('n', 'another receipt has this place');
  const ready = readyRows(open.map((row) => (row === own ? { key: row.key, value: full } : row)));
  if (ready.length === 0) return store.commit([store.put(own.key, full)]);
  const changes = ready.flatMap(({ key, value }) => [store.put(key), ...keep(store, 'given', chain, value)]);
  await ledger.append(
    ready.map(({ value }) => receiptEntry(value)),
    changes,
  );
}

function readyRows(rows: readonly Row[]): readonly Row[] {
  const firstHalf = rows.findIndex(({ value }) => isHalf(value));
  return firstHalf < 0 ? rows : rows.slice(0, firstHalf);
}

/** A receipt that is not open: filed before, or never given. */
async function checkFiled(deps: SideDeps, chain: string, receipt: UsageReceipt, full: Uint8Array): Promise<void> {
  const newest = await deps.store.get(newestKey('given', chain));
  if (newest === undefined || receipt.n > readReceipt(newest).n) throw receiptWrong('n', 'it was never given');
  const kept = await deps.store.get(keptKey('given', chain, receipt.n));
  if (kept !== undefined && !isSameBody(kept, full)) throw receiptWrong('n', 'another receipt has this place');
}

const isSameBody = (a: Uint8Array, b: Uint8Array): boolean => equalBytes(decodeParts(a).body, decodeParts(b).body);
