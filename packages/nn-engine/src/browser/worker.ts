/** The worker that owns one session of onnxruntime-web and its carried state. Started by `runtime.ts`; plain messages in and out. */
import type { Close, Question } from '../program/messages.ts';
import { serveProgram } from '../program/serve.ts';
import { Session, WorkerFailure } from '../program/session.ts';
import type { TabStart } from './messages.ts';

type Ort = typeof import('onnxruntime-web');

addEventListener('message', ({ data }: MessageEvent<TabStart>) => void start(data), { once: true });

async function start(tabStart: TabStart): Promise<void> {
  await serveProgram(() => load(tabStart), {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port, not a window
    reply: (message) => postMessage(message),
    onQuestion: (listener) => addEventListener('message', ({ data }: MessageEvent<Question | Close>) => listener(data)),
    close,
  });
}

async function load({ graph, carry, threads, wasm, webGpu }: TabStart): Promise<Session> {
  const gpu = webGpu !== undefined && (await hasAdapter());
  const files = gpu ? webGpu : wasm;
  const ort = (await import(/* @vite-ignore */ files.module).catch((cause: unknown) => {
    throw missing(files.module, cause);
  })) as Ort;
  ort.env.logLevel = 'error';
  ort.env.wasm.proxy = false;
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs: files.loader, wasm: files.wasm };
  const session = await ort.InferenceSession.create(graph, {
    executionProviders: gpu ? ['webgpu', 'wasm'] : ['wasm'],
    logSeverityLevel: 3,
  }).catch((cause: unknown) => {
    throw String(cause).includes('no available backend found') ? missing(files.wasm, cause) : cause;
  });
  return new Session(ort, session, { carry, intoBuffers: false });
}

/** A browser may have WebGPU and nothing to run it on. */
async function hasAdapter(): Promise<boolean> {
  const { gpu } = navigator as { readonly gpu?: { requestAdapter(): Promise<unknown> } };
  return gpu !== undefined && (await gpu.requestAdapter().catch(() => null)) !== null;
}

function missing(file: string, cause: unknown): WorkerFailure {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new WorkerFailure('ENGINE_MISSING', `${file} could not be loaded: ${reason}`, { file, reason });
}
