/**
 * The machine below a peer: store, clock, random, key file, configuration, logs.
 *
 * This entry runs anywhere; `/node` adds the SQLite store, the key file, configuration and logs, `/browser` the IndexedDB store.
 *
 * @packageDocumentation
 */
export { systemClock } from './clock.ts';
export type { Config, EngineChoice } from './config/schema.ts';
export { formatDuration, parseDurationMs, parseSizeBytes } from './config/units.ts';
export type { PlatformErrorCode } from './errors.ts';
export { limits } from './limits.ts';
export { systemRandom } from './random.ts';
