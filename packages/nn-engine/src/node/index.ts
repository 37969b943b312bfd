export * from './foreign/index.ts';
export { nanoFileUrl, readNanoFile } from './nano-file.ts';
export { createNodeRuntime } from './runtime.ts';
export { createUsearchIndexes, type UsearchDeps } from './usearch.ts';
