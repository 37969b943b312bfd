/**
 * Sums that are made while encrypted (BFV, by the optional package `node-seal`): who adds them up reads none of them, who holds the key reads only
 * what is handed over to be opened.
 *
 * @packageDocumentation
 */
export { type EncryptedTotal, type HomomorphicSums, loadHomomorphicSums, type SumKey } from './sums.ts';
