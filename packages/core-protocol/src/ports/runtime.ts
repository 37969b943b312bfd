export interface Tensor {
  readonly type: 'float32' | 'int64' | 'int32' | 'uint8';
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array | Int32Array | Uint8Array;
}
export type Tensors = Readonly<Record<string, Tensor>>;
export interface LoadOptions {
  readonly signal: AbortSignal;
  readonly carry?: Readonly<Record<string, string>>;
  readonly threads?: number;
  readonly memoryBytesMax?: number;
  readonly runMsMax?: number;
}
/** Runs ONNX bytes: native, wasm/WebGPU, a killable child for foreign models, plain TypeScript as the oracle. */
export interface Runtime {
  /** `carry` (output name to input name) keeps state inside: weights, moments, KV cache, device buffers. Throws MODEL_REFUSED. */
  load(graph: Uint8Array, options: LoadOptions): Promise<Program>;
}
/** One loaded graph; runs are serialised. */
export interface Program extends AsyncDisposable {
  /** Feeds what is not carried, returns what is not carried. Throws SHAPE_MISMATCH naming the node, RUN_LIMIT. */
  run(feeds: Tensors, signal: AbortSignal): Promise<Tensors>;
  /** Copies carried state out (checkpoint, hash, delta) or in (aggregate, resume). */
  read(input: string): Promise<Tensor>;
  write(input: string, value: Tensor): Promise<void>;
}
