import { type CryptoProvider, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { Hasher } from '../log/merkle.ts';
import { chainName, noReceipt, openReceipt, readReceipt, receiptHash, type UsageReceipt } from './receipt.ts';

/** The first field in which `receipt` does not continue `previous` (bytes of a receipt of the same chain; absent: it must be the first). */
export function brokenField(
  crypto: Hasher,
  previous: Uint8Array | undefined,
  receipt: UsageReceipt,
): keyof UsageReceipt | undefined {
  const last = previous === undefined ? undefined : readReceipt(previous);
  if (last !== undefined) {
    if (receipt.provider !== last.provider) return 'provider';
    if (receipt.consumer !== last.consumer) return 'consumer';
    if (!equalBytes(receipt.lease, last.lease)) return 'lease';
  }
  if (receipt.n !== (last?.n ?? 0) + 1) return 'n';
  if (receipt.totalPromptTokens !== (last?.totalPromptTokens ?? 0) + receipt.promptTokens) return 'totalPromptTokens';
  if (receipt.totalAnswerTokens !== (last?.totalAnswerTokens ?? 0) + receipt.answerTokens) return 'totalAnswerTokens';
  const hash = previous === undefined ? noReceipt : receiptHash(crypto, previous);
  return equalBytes(receipt.previous, hash) ? undefined : 'previous';
}

export const receiptWrong = (field: keyof UsageReceipt, reason: string): PeerAiError<'RECEIPT_WRONG'> =>
  new PeerAiError('RECEIPT_WRONG', `the receipt's ${field} is wrong: ${reason}`, { field });

/** Takes full receipts in order, of any number of chains. */
export interface ReceiptChecker {
  /** Receipts found good. */
  readonly count: number;
  /** Throws RECEIPT_WRONG naming the field, INVALID_SIGNATURE, INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
  take(full: Uint8Array): UsageReceipt;
}

/** @param party - only receipts in which this peer is one side (its own log); absent: anybody's. */
export function createReceiptChecker(crypto: CryptoProvider, party?: PeerId): ReceiptChecker {
  const newest = new Map<string, Uint8Array>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    take(full) {
      const { receipt, signedBy } = openReceipt(crypto, full);
      if (signedBy !== 'both') throw receiptWrong('consumer', 'it has not signed');
      if (party !== undefined && receipt.provider !== party && receipt.consumer !== party) {
        throw receiptWrong('provider', 'this log belongs to neither side');
      }
      const chain = chainName(receipt);
      const field = brokenField(crypto, newest.get(chain), receipt);
      if (field !== undefined) throw receiptWrong(field, 'it does not follow the receipt before it');
      newest.set(chain, full);
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
