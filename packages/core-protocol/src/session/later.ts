import { equalBytes } from '../bytes.ts';
import { sessionError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Work } from './handshake.ts';

export function exchangeOf({ exchange }: Work): Exchange {
  if (exchange !== undefined) return exchange;
  throw sessionError('INTERNAL', 'a handshake that has not begun');
}

/** Throws WRONG_SESSION. */
export function checkSameSession(work: Work, session: Uint8Array): void {
  if (work.session !== undefined && equalBytes(work.session, session)) return;
  throw sessionError('WRONG_SESSION', 'a handshake message of another session');
}
