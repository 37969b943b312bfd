import { type CryptoProvider, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { Hasher } from '../log/merkle.ts';
import { chainName, noReceipt, openReceipt, readReceipt, receiptHash, type UsageReceipt } from './receipt.ts';

/** What the next receipt of a chain continues. */
export interface ChainEnd {
  readonly last: UsageReceipt;
  /** SHA-256 of its body's bytes. */
  readonly hash: Uint8Array;
}
/** From a receipt's own bytes, which are not checked. Throws as `readReceipt`. */
export const chainEnd = (crypto: Hasher, bytes: Uint8Array): ChainEnd => ({
  last: readReceipt(bytes),
  hash: receiptHash(crypto, bytes),
});

/** The first field in which `receipt` does not continue its chain (absent: it must be the first). */
export function brokenField(end: ChainEnd | undefined, receipt: UsageReceipt): keyof UsageReceipt | undefined {
  const last = end?.last;
  if (last !== undefined) {
    if (receipt.provider !== last.provider) return 'provider';
    if (receipt.consumer !== last.consumer) return 'consumer';
    if (!equalBytes(receipt.lease, last.lease)) return 'lease';
  }
  if (receipt.n !== (last?.n ?? 0) + 1) return 'n';
  if (receipt.totalPromptTokens !== (last?.totalPromptTokens ?? 0) + receipt.promptTokens) return 'totalPromptTokens';
  if (receipt.totalAnswerTokens !== (last?.totalAnswerTokens ?? 0) + receipt.answerTokens) return 'totalAnswerTokens';
  return equalBytes(receipt.previous, end?.hash ?? noReceipt) ? undefined : 'previous';
}

export const receiptWrong = (field: keyof UsageReceipt, reason: string): PeerAiError<'RECEIPT_WRONG'> =>
  new PeerAiError('RECEIPT_WRONG', `the receipt's ${field} is wrong: ${reason}`, { field });

interface Chain {
  end: ChainEnd | undefined;
}
const isOfChain = (receipt: UsageReceipt, last: UsageReceipt): boolean =>
  receipt.provider === last.provider && receipt.consumer === last.consumer && equalBytes(receipt.lease, last.lease);

/** Takes full receipts in order, of any number of chains. */
export interface ReceiptChecker {
  /** Receipts found good. */
  readonly count: number;
  /** Throws RECEIPT_WRONG naming the field, INVALID_SIGNATURE, INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
  take(full: Uint8Array): UsageReceipt;
}

/** @param party - only receipts in which this peer is one side (its own log); absent: anybody's. */
export function createReceiptChecker(crypto: CryptoProvider, party?: PeerId): ReceiptChecker {
  const newest = new Map<string, Chain>();
  /** Receipts of one chain mostly follow each other: that of the last is known without its name, which costs a text of a hundred signs. */
  let latest: Chain | undefined;
  let count = 0;
  const chainOf = (receipt: UsageReceipt): Chain => {
    if (latest?.end !== undefined && isOfChain(receipt, latest.end.last)) return latest;
    const name = chainName(receipt);
    latest = newest.get(name) ?? { end: undefined };
    newest.set(name, latest);
    return latest;
  };
  return {
    get count() {
      return count;
    },
    take(full) {
      const { receipt, body, signedBy } = openReceipt(crypto, full);
      if (signedBy !== 'both') throw receiptWrong('consumer', 'it has not signed');
      if (party !== undefined && receipt.provider !== party && receipt.consumer !== party) {
        throw receiptWrong('provider', 'this log belongs to neither side');
      }
      const chain = chainOf(receipt);
      const field = brokenField(chain.end, receipt);
      if (field !== undefined) throw receiptWrong(field, 'it does not follow the receipt before it');
      chain.end = { last: receipt, hash: crypto.sha256(body) };
      count += 1;
      return receipt;
    },
  };
}

export interface ChainTotals {
  readonly receipts: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** Checks full receipts of one chain from its first on; the totals are those of the last one. Throws as `ReceiptChecker.take`. */
export function verifyReceiptChain(crypto: CryptoProvider, receipts: Iterable<Uint8Array>): ChainTotals {
  const checker = createReceiptChecker(crypto);
  let first: string | undefined;
  let last: UsageReceipt | undefined;
  for (const full of receipts) {
    last = checker.take(full);
    first ??= chainName(last);
    if (chainName(last) !== first) throw receiptWrong('lease', 'it belongs to another chain');
  }
  return {
    receipts: checker.count,
    promptTokens: last?.totalPromptTokens ?? 0,
    answerTokens: last?.totalAnswerTokens ?? 0,
  };
}
