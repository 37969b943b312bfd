/**
 * Documents that several peers write at the same time, and that become the same everywhere.
 *
 * @packageDocumentation
 */
export { limits as stateLimits } from './limits.ts';
export type { Changed } from './replica.ts';
export { type DocumentView, openStates, type States, type StatesDeps } from './states.ts';
