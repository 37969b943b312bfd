/** The thread that owns one ONNX Runtime session and its carried state. Started by `runtime.ts`; plain messages in and out. */
import { parentPort, workerData } from 'node:worker_threads';

import type { WorkerStart } from '../program/messages.ts';
import { serveProgram } from '../program/serve.ts';
import { Session, WorkerFailure } from '../program/session.ts';

const { graph, threads, carry } = workerData as WorkerStart;

async function load(): Promise<Session> {
  // The binding of onnxruntime-node 1.30 takes a Float16Array for an empty one; where there is none its tensors are Uint16Array, which it reads.
  Reflect.deleteProperty(globalThis, 'Float16Array');
  const ort = await import('onnxruntime-node').catch((cause: unknown) => {
    throw new WorkerFailure(
      'ENGINE_MISSING',
      'The package onnxruntime-node is not installed; add it to run ONNX graphs in Node.',
      {
        package: 'onnxruntime-node',
        reason: cause instanceof Error ? cause.message : String(cause),
      },
    );
  });
  const session = await ort.InferenceSession.create(graph, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Spinning threads made two threads slower than one on busy cores.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  });
  return new Session(ort, session, { carry, intoBuffers: true });
}

await serveProgram(load, {
  reply(message) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
    parentPort?.postMessage(message);
  },
  onQuestion: (listener) => void parentPort?.on('message', listener),
  close: () => parentPort?.close(),
});
