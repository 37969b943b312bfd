export { createNodeRuntime } from './runtime.ts';
