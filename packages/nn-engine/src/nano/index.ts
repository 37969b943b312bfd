/**
 * The embedded guide alone, without what trains it.
 *
 * @packageDocumentation
 */
export { decodeOperators } from '../models/decode-operators.ts';
export { createNano, type NanoDeps } from './nano.ts';
