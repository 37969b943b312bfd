import {
  type Clock,
  type CryptoProvider,
  equalBytes,
  type Identity,
  type PeerId,
  signedBytes,
  type Usage,
} from '@peerai/core-protocol';
import { brokenField, chainEnd, receiptWrong } from './chain.ts';
import {
  decodeParts,
  encodeParts,
  encodeReceiptBody,
  noReceipt,
  openReceipt,
  receiptTag,
  type UsageReceipt,
} from './receipt.ts';

export interface SignerDeps {
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
}
/** What the provider knows of an answer it gave. */
export interface UsageFacts {
  readonly consumer: PeerId;
  readonly lease: Uint8Array;
  readonly requestId: string;
  /** The name that was asked for. */
  readonly model: string;
  readonly usage: Usage;
  readonly workHash: Uint8Array;
}
/** What the consumer knows of an answer it got, and holds the receipt against. */
export interface ExpectedFacts {
  readonly provider: PeerId;
  readonly lease: Uint8Array;
  readonly requestId: string;
  readonly model: string;
  /** Tokens it is willing to sign for at most; core-protocol's `usageBounds` derives them from what was asked. */
  readonly promptTokensMax: number;
  readonly answerTokensMax: number;
  /** The usage the answer's last part reported: then the receipt must say the same. */
  readonly usage?: Usage;
  /** Own SHA-256 over prompt and answer. Absent when the answer broke off: what the provider sent is not known here then. */
  readonly workHash?: Uint8Array;
}

/**
 * The provider's half: numbers, totals and the provider's signature. `previous`: the newest receipt of this chain, half or full.
 * Throws LIMIT_EXCEEDED, INVALID_FORMAT.
 */
export function issueReceipt(
  deps: SignerDeps & { readonly clock: Pick<Clock, 'nowMs'> },
  previous: Uint8Array | undefined,
  facts: UsageFacts,
): Uint8Array {
  const { consumer, lease, requestId, model, usage, workHash } = facts;
  const end = previous === undefined ? undefined : chainEnd(deps.crypto, previous);
  const last = end?.last;
  const body = encodeReceiptBody({
    version: 1,
    provider: deps.identity.peer,
    consumer,
    lease,
    n: (last?.n ?? 0) + 1,
    requestId,
    model,
    promptTokens: usage.promptTokens,
    answerTokens: usage.answerTokens,
    estimated: usage.estimated ?? false,
    totalPromptTokens: (last?.totalPromptTokens ?? 0) + usage.promptTokens,
    totalAnswerTokens: (last?.totalAnswerTokens ?? 0) + usage.answerTokens,
    workHash,
    timeMs: Math.max(0, Math.trunc(deps.clock.nowMs())),
    previous: end?.hash ?? noReceipt,
  });
  return encodeParts({ body, providerSignature: deps.identity.sign(signedBytes(receiptTag, body)) });
}

/**
 * The consumer's signature under the same bytes, once everything fits what it knows. `previous`: its own newest full receipt of this chain.
 * Throws RECEIPT_WRONG with `details.field`, INVALID_SIGNATURE, INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED.
 */
export function countersign(
  deps: SignerDeps,
  half: Uint8Array,
  previous: Uint8Array | undefined,
  expected: ExpectedFacts,
): Uint8Array {
  const { receipt, body } = openReceipt(deps.crypto, half);
  if (receipt.consumer !== deps.identity.peer) throw receiptWrong('consumer', 'it is made out to somebody else');
  const field = brokenField(previous === undefined ? undefined : chainEnd(deps.crypto, previous), receipt);
  if (field !== undefined) throw receiptWrong(field, 'it does not follow the last receipt signed here');
  checkFacts(receipt, expected);
  const { providerSignature } = decodeParts(half);
  const consumerSignature = deps.identity.sign(signedBytes(receiptTag, body));
  return encodeParts({ body, providerSignature, consumerSignature });
}

function checkFacts(receipt: UsageReceipt, expected: ExpectedFacts): void {
  const { promptTokensMax, answerTokensMax, usage, workHash } = expected;
  if (receipt.provider !== expected.provider) throw receiptWrong('provider', 'somebody else was asked');
  if (!equalBytes(receipt.lease, expected.lease)) throw receiptWrong('lease', 'another one was used');
  if (receipt.requestId !== expected.requestId) throw receiptWrong('requestId', 'that was not asked');
  if (receipt.model !== expected.model) throw receiptWrong('model', 'another one was asked for');
  if (receipt.promptTokens > promptTokensMax) throw receiptWrong('promptTokens', `more than ${promptTokensMax}`);
  if (receipt.answerTokens > answerTokensMax) throw receiptWrong('answerTokens', `more than ${answerTokensMax}`);
  if (usage !== undefined) {
    if (receipt.promptTokens !== usage.promptTokens) throw receiptWrong('promptTokens', 'not what the answer reported');
    if (receipt.answerTokens !== usage.answerTokens) throw receiptWrong('answerTokens', 'not what the answer reported');
  }
  if (workHash !== undefined && !equalBytes(receipt.workHash, workHash))
    throw receiptWrong('workHash', 'other bytes arrived here');
}
