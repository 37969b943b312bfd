/** The worker that owns one session of onnxruntime-web and its carried state. Started by `runtime.ts`; plain messages in and out. */
import type { Close, Question } from '../program/messages.ts';
import { serveProgram } from '../program/serve.ts';
import { type Served, Session, WorkerFailure } from '../program/session.ts';
import { adapterOf } from './adapter.ts';
import { untilItFails } from './first-run.ts';
import { untilLost } from './lost-device.ts';
import type { TabEngine, TabReply, TabStart } from './messages.ts';

type Ort = typeof import('onnxruntime-web');
/** What is used of a `GPUDevice`. */
interface GpuDevice {
  readonly lost: Promise<{ readonly message: string }>;
}

addEventListener('message', ({ data }: MessageEvent<TabStart>) => void start(data), { once: true });

async function start(tabStart: TabStart): Promise<void> {
  await serveProgram(() => load(tabStart), {
    reply: post,
    onQuestion: (listener) => addEventListener('message', ({ data }: MessageEvent<Question | Close>) => listener(data)),
    close,
  });
}

/** By WebGPU where that is offered and works, else in wasm. */
async function load(tabStart: TabStart): Promise<Served> {
  const inWasm = async (why: Omit<TabEngine & { on: 'wasm' }, 'on'> = {}): Promise<Served> => {
    const session = await open(tabStart, tabStart.wasm, false);
    post({ engine: { on: 'wasm', ...why } });
    return session;
  };
  const { webGpu } = tabStart;
  if (webGpu === undefined) return await inWasm();
  const adapter = await adapterOf(navigator);
  if (adapter !== 'there') return await inWasm({ reason: adapter });
  const refused = (cause: unknown): Promise<Served> => inWasm({ reason: 'graph', detail: messageOf(cause) });
  let session: Served;
  try {
    session = await open(tabStart, webGpu, true);
  } catch (error) {
    // A file that is missing is no fault of the graph: whoever serves the page should hear of it.
    if (error instanceof WorkerFailure) throw error;
    return await refused(error);
  }
  post({ engine: { on: 'webgpu' } });
  return untilItFails(session, Object.values(tabStart.carry), refused);
}

async function open({ graph, carry, threads }: TabStart, files: TabStart['wasm'], gpu: boolean): Promise<Served> {
  const ort = (await import(/* @vite-ignore */ files.module).catch((cause: unknown) => {
    throw missing(files.module, cause);
  })) as Ort;
  ort.env.logLevel = 'error';
  ort.env.wasm.proxy = false;
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs: files.loader, wasm: files.wasm };
  const carried = Object.fromEntries(Object.keys(carry).map((output) => [output, 'gpu-buffer'] as const));
  const session = await ort.InferenceSession.create(graph, {
    executionProviders: gpu ? ['webgpu', 'wasm'] : ['wasm'],
    logSeverityLevel: 3,
    ...(gpu && { preferredOutputLocation: carried }),
  }).catch((cause: unknown) => {
    throw String(cause).includes('no available backend found') ? missing(files.wasm, cause) : cause;
  });
  const served = new Session(ort, session, { carry, intoBuffers: false });
  const device = gpu ? ((await ort.env.webgpu.device) as GpuDevice | undefined) : undefined;
  return device === undefined ? served : untilLost(served, device.lost);
}

function post(message: TabReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port, not a window
  postMessage(message);
}

function missing(file: string, cause: unknown): WorkerFailure {
  const reason = messageOf(cause);
  return new WorkerFailure('ENGINE_MISSING', `${file} could not be loaded: ${reason}`, { file, reason });
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
