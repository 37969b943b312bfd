import { PeerAiError, type Runtime } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { Question, WorkerStart } from '../program/messages.ts';
import { type WorkerEvents, type WorkerLine, workerRuntime } from '../program/program.ts';
import { missingAbility, threadsPossible, threadsUnlessSaid } from './abilities.ts';
import type { OrtFiles, TabEngine, TabReply, TabStart } from './messages.ts';

export interface BrowserRuntimeOptions {
  /** Address of `@peerai/nn-engine/browser/worker` as the page's bundler made it: a module that imports nothing from elsewhere. */
  readonly worker: string | URL;
  /** Where the page serves onnxruntime-web. Nothing is fetched before the first graph is loaded. */
  readonly wasm: OrtFiles;
  /**
   * The build of onnxruntime-web with WebGPU (27 MB of wasm): with it, graphs run there when the browser gives an adapter, and what is carried stays there
   * between runs. Else in wasm, as does a graph that cannot be loaded there, or fails there in its first run. Its files are only fetched when there is an adapter.
   */
  readonly webGpu?: OrtFiles;
  /** Hears on what each graph is computed; again when that changes. */
  readonly onEngine?: (engine: TabEngine) => void;
}

/**
 * ONNX Runtime in a tab (the optional peer `onnxruntime-web`, 14 MB of wasm that the page serves), one worker a program, so that the page never stalls.
 *
 * A program has as many threads as asked, but no more than there are cores, and one where the page is not cross-origin isolated
 * (`Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`); not asked, half of the cores, four at most. An aborted run
 * leaves carried state as it was; disposing a program ends its worker at once, also inside a run, and gives its memory back.
 *
 * `load` throws UNSUPPORTED in a browser without WebAssembly, SIMD or workers, ENGINE_MISSING (its details name the file) when one of the files cannot be
 * loaded, MODEL_REFUSED for a graph it cannot run and for `memoryBytesMax`, ABORTED.
 */
export function createBrowserRuntime(options: BrowserRuntimeOptions): Runtime {
  const runtime = workerRuntime((start, events) => startTabWorker(options, start, events), threadsUnlessSaid);
  return {
    async load(graph, loadOptions) {
      const missing = missingAbility();
      if (missing !== undefined) throw new PeerAiError<NnErrorCode>('UNSUPPORTED', missing);
      return await runtime.load(graph, loadOptions);
    },
  };
}

function startTabWorker(options: BrowserRuntimeOptions, start: WorkerStart, { reply, lost }: WorkerEvents): WorkerLine {
  const address = whole(options.worker);
  const worker = new Worker(address, { type: 'module', name: 'peerai-training' });
  let answers = false;
  const post = (message: TabStart | Question): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
    worker.postMessage(message);
  };
  worker.addEventListener('message', ({ data }: MessageEvent<TabReply>) => {
    answers = true;
    if ('engine' in data) options.onEngine?.(data.engine);
    else reply(data);
  });
  worker.addEventListener('error', (event) => {
    // A file that is not there, or that the page's policy forbids, comes without a message.
    const { message } = event as Partial<ErrorEvent>;
    lost(answers ? closed(message) : notLoaded(address, message));
  });
  post({
    ...start,
    threads: Math.min(start.threads, threadsPossible()),
    wasm: addresses(options.wasm),
    ...(options.webGpu !== undefined && { webGpu: addresses(options.webGpu) }),
  });
  return {
    post,
    waited: () => undefined,
    async end() {
      worker.terminate();
    },
  };
}

const whole = (address: string | URL): string => new URL(address, globalThis.location.href).href;
const addresses = ({ module, loader, wasm }: OrtFiles): TabStart['wasm'] => ({
  module: whole(module),
  loader: whole(loader),
  wasm: whole(wasm),
});

function notLoaded(file: string, reason = 'the browser says no reason'): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('ENGINE_MISSING', `The training worker at ${file} did not start: ${reason}.`, {
    file,
    reason,
  });
}

function closed(reason = 'the browser says no reason'): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('PROGRAM_CLOSED', `The worker of this program failed: ${reason}.`, { reason });
}
