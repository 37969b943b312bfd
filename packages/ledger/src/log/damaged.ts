import { PeerAiError } from '@peerai/core-protocol';

/** What `LEDGER_DAMAGED` carries: the first entry that is not as it was written, and why that is known. */
export interface Damage {
  readonly index: bigint;
  readonly reason: string;
}

export function damaged(index: bigint, reason: string, cause?: unknown): PeerAiError<'LEDGER_DAMAGED'> {
  const details: Damage = { index, reason };
  return new PeerAiError(
    'LEDGER_DAMAGED',
    `the log is damaged at entry ${index}: ${reason}`,
    { ...details },
    { cause },
  );
}

export function damageOf(error: unknown): Damage | undefined {
  return PeerAiError.is(error, 'LEDGER_DAMAGED') ? (error.details as unknown as Damage) : undefined;
}

/** Runs a decoder; whatever it throws becomes damage at `index`. */
export function orDamaged<T>(index: bigint, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw damaged(index, PeerAiError.is(cause) ? cause.message : 'unreadable', cause);
  }
}
