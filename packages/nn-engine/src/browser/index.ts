/**
 * The runtime of a tab: graphs on onnxruntime-web, in wasm or WebGPU.
 *
 * @packageDocumentation
 */
export type { OrtFiles, TabEngine } from './messages.ts';
export { type BrowserRuntimeOptions, createBrowserRuntime } from './runtime.ts';
