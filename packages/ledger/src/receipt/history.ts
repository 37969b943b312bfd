import type { PeerId, Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { OwnLedger } from '../log/open.ts';
import { isHalf, newestRows, openRows, type Side } from './book-rows.ts';
import { readReceipt, receiptKind, type UsageReceipt } from './receipt.ts';

export interface CounterpartyTotals {
  readonly peer: PeerId;
  /** `given`: we answered; `taken`: we asked. */
  readonly side: Side;
  /** Double-signed. */
  readonly receipts: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Halves the other side has not signed yet, and their tokens, prompt and answer together. */
  readonly unsigned: number;
  readonly unsignedTokens: number;
}
export interface ListedReceipt {
  /** Its place in our log. */
  readonly index: bigint;
  readonly receipt: UsageReceipt;
  readonly bytes: Uint8Array;
}
export interface ListOptions {
  /** At most so many, default 100. */
  readonly limit?: number;
  /** Only entries below this place: the `next` of the page before. */
  readonly before?: bigint;
  /** Only receipts with this peer. */
  readonly peer?: PeerId;
}
export interface ReceiptPage {
  readonly receipts: readonly ListedReceipt[];
  /** Where to go on; absent at the end of the log. */
  readonly next?: bigint;
}

export async function summarize(store: Store): Promise<readonly CounterpartyTotals[]> {
  const totals = new Map<string, CounterpartyTotals>();
  for (const side of ['given', 'taken'] as const) {
    for await (const { key, value } of newestRows(store, side)) {
      const chain = key.slice(side.length + 1);
      const waiting = side === 'taken' ? [] : (await openRows(store, chain)).filter((row) => isHalf(row.value));
      const one = chainTotals(
        side,
        readReceipt(value),
        waiting.map((row) => readReceipt(row.value)),
      );
      const name = `${side}/${one.peer}`;
      totals.set(name, add(totals.get(name), one));
    }
  }
  return [...totals.values()];
}

function chainTotals(side: Side, newest: UsageReceipt, unsigned: readonly UsageReceipt[]): CounterpartyTotals {
  const prompt = unsigned.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
  const answer = unsigned.reduce((sum, { answerTokens }) => sum + answerTokens, 0);
  return {
    peer: side === 'given' ? newest.consumer : newest.provider,
    side,
    receipts: newest.n - unsigned.length,
    promptTokens: newest.totalPromptTokens - prompt,
    answerTokens: newest.totalAnswerTokens - answer,
    unsigned: unsigned.length,
    unsignedTokens: prompt + answer,
  };
}

function add(sum: CounterpartyTotals | undefined, one: CounterpartyTotals): CounterpartyTotals {
  if (sum === undefined) return one;
  return {
    ...one,
    receipts: sum.receipts + one.receipts,
    promptTokens: sum.promptTokens + one.promptTokens,
    answerTokens: sum.answerTokens + one.answerTokens,
    unsigned: sum.unsigned + one.unsigned,
    unsignedTokens: sum.unsignedTokens + one.unsignedTokens,
  };
}

export async function listReceipts(ledger: OwnLedger, options: ListOptions = {}): Promise<ReceiptPage> {
  const count = Math.min(options.limit ?? 100, limits.listReceiptsMax);
  const receipts: ListedReceipt[] = [];
  let next = options.before !== undefined && options.before < ledger.size ? options.before : ledger.size;
  const lowest = next - BigInt(limits.listScanEntriesMax);
  for await (const { index, entry } of ledger.entries(lowest > 0n ? lowest : 0n, next, { reverse: true })) {
    if (receipts.length === count) break;
    next = index;
    if (entry.kind !== receiptKind) continue;
    const receipt = readReceipt(entry.body);
    if (options.peer !== undefined && receipt.provider !== options.peer && receipt.consumer !== options.peer) continue;
    receipts.push({ index, receipt, bytes: entry.body });
  }
  return next > 0n ? { receipts, next } : { receipts };
}
