/**
 * The machine below a peer on Node: SQLite store, key file, configuration, logs.
 *
 * @packageDocumentation
 */
export { systemClock } from '../clock.ts';
export { systemRandom as nodeRandom } from '../random.ts';
export { type FileStore, openStore, type StoreOptions, type StoreStats } from './store/open-store.ts';
export { type Directories, directories } from '../config/directories.ts';
export { configValue, exampleConfig, explain, setConfigKey } from '../config/explain.ts';
export { ollamaUrl } from '../config/layers.ts';
export { loadConfig, type LoadConfigOptions, type LoadedConfig } from '../config/load-config.ts';
export { iceServerPlace } from '../config/nat-schema.ts';
export type { ConfigProblem } from '../config/problem.ts';
export { type Config, configSchema, type EngineChoice } from '../config/schema.ts';
export { secretKeys, shownConfig } from '../config/shown.ts';
export { configJsonSchema, type KeyInfo } from '../config/tree.ts';
export { writePrivateFile } from './atomic-file.ts';
export { changePassphrase, type LoadedSeed, loadOrCreateSeed, replaceSeed, type SeedOptions } from './key-file.ts';
export { type ClosableLogger, createLogger, type LoggerOptions } from './log/logger.ts';
export { openShelf } from './shelf.ts';
export { type LineSink, openRotatingFile, type RotatingFileOptions } from './log/rotating-file.ts';
