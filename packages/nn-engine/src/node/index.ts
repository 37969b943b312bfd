export { nanoFileUrl, readNanoFile } from './nano-file.ts';
export { createNodeRuntime } from './runtime.ts';
