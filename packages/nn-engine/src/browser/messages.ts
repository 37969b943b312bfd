import type { WorkerStart } from '../program/messages.ts';

/** Addresses of one build of onnxruntime-web, as the page serves them. */
export interface OrtFiles {
  /** `ort.wasm.min.mjs`, or `ort.webgpu.min.mjs` for WebGPU. */
  readonly module: string | URL;
  /** `ort-wasm-simd-threaded.mjs`, or `ort-wasm-simd-threaded.asyncify.mjs` for WebGPU. */
  readonly loader: string | URL;
  /** The file of the same name that ends with `.wasm`. */
  readonly wasm: string | URL;
}

/** The first message to the worker; its addresses are whole, because the worker may lie elsewhere than the page. */
export interface TabStart extends WorkerStart {
  readonly wasm: Whole;
  readonly webGpu?: Whole;
}
type Whole = Readonly<Record<keyof OrtFiles, string>>;
