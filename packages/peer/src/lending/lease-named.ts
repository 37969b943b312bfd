import { PeerAiError } from '@peerai/core-protocol';
import type { PeerErrorCode } from '../errors.ts';

/** Digits of a lease's id that name it where no other begins with them. */
export const leaseDigitsMin = 8;

/** By its id or a beginning of it. Throws LEASE_UNKNOWN, which says what is missing. */
export function leaseNamed<T extends { readonly id: string }>(leases: readonly T[], text: string): T {
  const exact = leases.find(({ id }) => id === text);
  if (exact !== undefined) return exact;
  const said = text.slice(0, 64);
  const fail = (why: string): PeerAiError => new PeerAiError<PeerErrorCode>('LEASE_UNKNOWN', why);
  if (text.length < leaseDigitsMin)
    throw fail(`"${said}" names no lease: a beginning of an id needs ${leaseDigitsMin} digits or more`);
  const fits = leases.filter(({ id }) => id.startsWith(text));
  const [lease] = fits;
  if (lease === undefined) throw fail(`there is no lease "${said}" here`);
  if (fits.length > 1) throw fail(`${fits.length} leases begin with "${said}"; give more of the id`);
  return lease;
}
