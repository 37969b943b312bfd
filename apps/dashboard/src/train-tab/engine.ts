import type { Runtime } from '@peerai/core-protocol';
import { createBrowserRuntime, type TabEngine } from '@peerai/nn-engine/browser';
// oxlint-disable-next-line import/default -- Vite makes it: the address of the worker as one file
import worker from '@peerai/nn-engine/browser/worker?worker&url';
import gpuLoader from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import module from 'onnxruntime-web/wasm?url';
import loader from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import gpuModule from 'onnxruntime-web/webgpu?url';

/** On what a visitor wants to compute, and who hears whether it is. */
export interface EngineChoice {
  /** On the graphics card, whose engine is fetched for it; in wasm where that cannot be. */
  readonly graphics: boolean;
  readonly onEngine: (engine: TabEngine) => void;
}

/** What computes in this tab; all of it is served beside the page, and nothing is fetched before the first graph is loaded. */
export const openEngine = async ({ graphics, onEngine }: EngineChoice): Promise<Runtime> =>
  createBrowserRuntime({
    worker,
    wasm: { module, loader, wasm },
    ...(graphics && { onEngine, webGpu: { module: gpuModule, loader: gpuLoader, wasm: gpuWasm } }),
  });

/** Bytes of its files as the host would send them, by their headers alone; undefined when the host does not say. */
export const engineBytes = (signal: AbortSignal): Promise<number | undefined> =>
  bytesOf([worker, module, loader, wasm], signal);

/** Bytes that computing on the graphics card adds; undefined where the browser gives none to compute on, or the host does not say. */
export async function graphicsBytes(signal: AbortSignal): Promise<number | undefined> {
  const { gpu } = navigator as { readonly gpu?: { requestAdapter(): Promise<object | null> } };
  const adapter = await gpu?.requestAdapter();
  return adapter ? await bytesOf([gpuModule, gpuLoader, gpuWasm], signal) : undefined;
}

async function bytesOf(files: readonly string[], signal: AbortSignal): Promise<number | undefined> {
  const sizes = await Promise.all(
    files.map(async (file) => {
      const { headers, ok } = await fetch(file, { method: 'HEAD', signal });
      return ok ? Number(headers.get('content-length') ?? Number.NaN) : Number.NaN;
    }),
  );
  const sum = sizes.reduce((total, size) => total + size, 0);
  return Number.isFinite(sum) ? sum : undefined;
}
