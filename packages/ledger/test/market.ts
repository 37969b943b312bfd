import type { CryptoProvider, EntryBody } from '@peerai/core-protocol';
import { toHex } from '@peerai/core-protocol';
import { memoryWorld, type MemoryWorld } from '@peerai/core-protocol/testing';
import { countersign, issueReceipt, receiptEntry } from '../src/index.ts';
import { acceptLease, type LeaseTerms, offerLease, openLease } from '../src/lease/terms.ts';
import {
  acceptMetered,
  type LeaseEnd,
  leaseEndEntry,
  meteredLeaseEntry,
  type MeteredTerms,
  offerMetered,
  signEnd,
} from '../src/market/index.ts';
import { crypto } from './world.ts';

/** The same verdicts, each computed once: a replay of the same documents in another order asks the same again. */
export function rememberingCrypto(inner: CryptoProvider = crypto): CryptoProvider {
  const verdicts = new Map<string, boolean>();
  const verify: CryptoProvider['ed25519']['verify'] = (signature, message, key) => {
    const name = toHex(inner.sha256(signature, message, key));
    const verdict = verdicts.get(name) ?? inner.ed25519.verify(signature, message, key);
    verdicts.set(name, verdict);
    return verdict;
  };
  return { ...inner, ed25519: { ...inner.ed25519, verify } };
}

export const trader = (seed: number): MemoryWorld => memoryWorld({ seed, crypto });
export const termsBetween = (
  lender: MemoryWorld,
  borrower: MemoryWorld,
  change: Partial<MeteredTerms> = {},
): MeteredTerms => ({
  version: 1,
  lender: lender.identity.peer,
  borrower: borrower.identity.peer,
  resource: 'model',
  subject: 'nano',
  unitPrice: 2_000n,
  unitsMax: 10_000,
  minutes: 60,
  startMs: 0,
  nonce: new Uint8Array(16).fill(1),
  ...change,
});
/** Two gating nodes for a minute, 600 micro-credits, signed by both. */
export function nodeLease(lender: MemoryWorld, borrower: MemoryWorld) {
  const terms: LeaseTerms = {
    version: 1,
    lender: lender.identity.peer,
    borrower: borrower.identity.peer,
    nodes: 2,
    minutes: 1,
    price: 600n,
    startMs: 0,
    nonce: new Uint8Array(16),
  };
  const full = acceptLease(lender, offerLease(borrower, terms));
  return { terms, full, id: openLease(crypto, full).id };
}
export const leaseOf = (lender: MemoryWorld, borrower: MemoryWorld, terms: MeteredTerms): EntryBody =>
  meteredLeaseEntry(acceptMetered(lender, offerMetered(borrower, terms)));

/** Receipts of one chain for so many tokens each, signed by both. */
export function usageChain(
  lender: MemoryWorld,
  borrower: MemoryWorld,
  lease: Uint8Array,
  tokens: readonly number[],
): EntryBody[] {
  let previous: Uint8Array | undefined;
  return tokens.map((answerTokens, index) => {
    const facts = { lease, requestId: `r${index}`, model: 'nano', workHash: crypto.sha256(Uint8Array.of(index)) };
    const usage = { promptTokens: 1, answerTokens };
    const half = issueReceipt(lender, previous, { ...facts, consumer: borrower.identity.peer, usage });
    const asked = { promptTokensMax: 10, answerTokensMax: 1_000_000 };
    previous = countersign(borrower, half, previous, { ...facts, ...asked, provider: lender.identity.peer });
    return receiptEntry(previous);
  });
}

export const endOf = (
  by: MemoryWorld,
  other: MemoryWorld,
  lease: Uint8Array,
  change: Partial<LeaseEnd> = {},
): EntryBody =>
  leaseEndEntry(
    signEnd(by, {
      version: 1,
      lease,
      by: by.identity.peer,
      other: other.identity.peer,
      outcome: 'refunded',
      n: 0,
      due: 0n,
      timeMs: 1,
      ...change,
    }),
  );
