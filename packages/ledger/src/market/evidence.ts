import {
  type CryptoProvider,
  type EntryBody,
  fromBase64Url,
  PeerAiError,
  toBase64Url,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { marketLimits as limits } from './limits.ts';
import { replayMarket } from './replay.ts';
import type { LeaseStanding } from './standing.ts';

/** What one side shows when it does not agree: documents that anybody can check without asking either peer. */
export interface Evidence {
  /** Hex: the lease it is about. */
  readonly lease: string;
  /** In the words of who disputes; not proven by anything. */
  readonly reason: string;
  readonly documents: readonly EntryBody[];
}

/** JSON text; its SHA-256 stands in the lease's end. Throws LIMIT_EXCEEDED. */
export function encodeEvidence({ lease, reason, documents }: Evidence): string {
  const listed = documents.map(({ kind, body }) => ({ kind, body: toBase64Url(body) }));
  const text = JSON.stringify({ v: 1, lease, reason, documents: listed });
  if (utf8(text).length > limits.evidenceBytesMax)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', `evidence has at most ${limits.evidenceBytesMax} bytes`);
  return text;
}

/**
 * What the documents prove about the lease they name: both signatures under its terms, and under the newest receipt. Throws INVALID_FORMAT, LIMIT_EXCEEDED,
 * NOT_FOUND where the lease itself is not among them.
 */
export function checkEvidence(
  crypto: CryptoProvider,
  text: string,
  nowMs: number,
): { readonly evidence: Evidence; readonly standing: LeaseStanding; readonly refused: number; readonly hash: string } {
  const evidence = decode(text);
  const { leases, refused } = replayMarket(crypto, evidence.documents, { nowMs });
  const standing = leases.get(evidence.lease);
  if (standing === undefined)
    throw new PeerAiError<LedgerErrorCode>('NOT_FOUND', 'this evidence does not hold the lease it is about');
  return { evidence, standing, refused: refused.length, hash: toHex(crypto.sha256(utf8(text))) };
}

function decode(text: string): Evidence {
  if (utf8(text).length > limits.evidenceBytesMax)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', `evidence has at most ${limits.evidenceBytesMax} bytes`);
  const wrong = (cause?: unknown): PeerAiError =>
    new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'this is no evidence file', {}, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong(cause);
  }
  const { v, lease, reason, documents } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (v !== 1 || typeof lease !== 'string' || typeof reason !== 'string' || !Array.isArray(documents)) throw wrong();
  const bodies = documents.map((one: unknown) => {
    const { kind, body } = (one ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof kind !== 'string' || typeof body !== 'string') throw wrong();
    return { kind, body: fromBase64Url(body) };
  });
  return { lease, reason, documents: bodies };
}
