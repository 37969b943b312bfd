import { PeerAiError } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';

/** The chain cannot be reached, or is not the one that was meant. */
export const chainFailure = (message: string, details: Record<string, unknown> = {}, cause?: unknown): PeerAiError =>
  new PeerAiError<LedgerErrorCode>('SETTLEMENT_FAILED', message, details, { cause });
