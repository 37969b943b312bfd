import { toHex } from '@peerai/core-protocol';
import type { UsageReceipt } from '@peerai/ledger';
import type { ReceiptView } from './ledger.schema.ts';

export function receiptView(receipt: UsageReceipt, signedBy: ReceiptView['signedBy']): ReceiptView {
  const {
    provider,
    consumer,
    n,
    requestId,
    model,
    promptTokens,
    answerTokens,
    estimated,
    totalPromptTokens,
    totalAnswerTokens,
    timeMs,
  } = receipt;
  return {
    provider,
    consumer,
    lease: toHex(receipt.lease),
    n,
    requestId,
    model,
    promptTokens,
    answerTokens,
    estimated,
    totalPromptTokens,
    totalAnswerTokens,
    workHash: toHex(receipt.workHash),
    timeMs,
    signedBy,
  };
}
