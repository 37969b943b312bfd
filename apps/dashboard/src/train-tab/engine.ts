import type { Runtime } from '@peerai/core-protocol';
import { createBrowserRuntime } from '@peerai/nn-engine/browser';
// oxlint-disable-next-line import/default -- Vite makes it: the address of the worker as one file
import worker from '@peerai/nn-engine/browser/worker?worker&url';
import module from 'onnxruntime-web/wasm?url';
import loader from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';

/** What computes in this tab; all of it is served beside the page, and nothing is fetched before the first graph is loaded. */
export const openEngine = async (): Promise<Runtime> =>
  createBrowserRuntime({ worker, wasm: { module, loader, wasm } });

/** Bytes of its files as the host would send them, by their headers alone; undefined when the host does not say. */
export async function engineBytes(signal: AbortSignal): Promise<number | undefined> {
  const sizes = await Promise.all(
    [worker, module, loader, wasm].map(async (file) => {
      const { headers, ok } = await fetch(file, { method: 'HEAD', signal });
      return ok ? Number(headers.get('content-length') ?? Number.NaN) : Number.NaN;
    }),
  );
  const sum = sizes.reduce((total, size) => total + size, 0);
  return Number.isFinite(sum) ? sum : undefined;
}
