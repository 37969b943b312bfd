/**
 * The embedded guide alone, without what trains it.
 *
 * @packageDocumentation
 */
export { createNano, type NanoDeps } from './nano.ts';
