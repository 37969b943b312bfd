import type { Reply, WorkerStart } from '../program/messages.ts';

/** Addresses of one build of onnxruntime-web, as the page serves them. */
export interface OrtFiles {
  /** `ort.wasm.min.mjs`, or `ort.webgpu.min.mjs` for WebGPU. */
  readonly module: string | URL;
  /** `ort-wasm-simd-threaded.mjs`, or `ort-wasm-simd-threaded.asyncify.mjs` for WebGPU. */
  readonly loader: string | URL;
  /** The file of the same name that ends with `.wasm`. */
  readonly wasm: string | URL;
}

/** On what a tab computes a graph, and why not by WebGPU where that was offered. */
export type TabEngine =
  | { readonly on: 'webgpu' }
  | { readonly on: 'wasm'; readonly reason?: 'no-webgpu' | 'no-adapter' | 'graph'; readonly detail?: string };

/** What comes from the worker. */
export type TabReply = Reply | { readonly engine: TabEngine };

/** The first message to the worker; its addresses are whole, because the worker may lie elsewhere than the page. */
export interface TabStart extends WorkerStart {
  readonly wasm: Whole;
  readonly webGpu?: Whole;
}
type Whole = Readonly<Record<keyof OrtFiles, string>>;
