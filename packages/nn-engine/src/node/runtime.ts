import { Worker } from 'node:worker_threads';

import { PeerAiError, type Runtime } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { Close, Question, Reply, WorkerStart } from '../program/messages.ts';
import { type WorkerEvents, type WorkerLine, workerRuntime } from '../program/program.ts';
import { workerFile } from './worker-file.ts';

/**
 * ONNX Runtime (the optional peer `onnxruntime-node`), one worker thread a program, so that the event loop stays free.
 *
 * One thread unless asked otherwise, and threads do not spin. Carried inputs start as zeros, their open sizes as 0. An aborted run leaves carried
 * state as it was. `memoryBytesMax` is refused: a thread cannot be held to it, so foreign graphs do not belong here.
 */
export function createNodeRuntime(): Runtime {
  return workerRuntime(startThread, () => 1);
}

function startThread(start: WorkerStart, { reply, lost }: WorkerEvents): WorkerLine {
  const worker = new Worker(workerFile, { workerData: start });
  const ended = Promise.withResolvers<void>();
  const post = (message: Question | Close): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
    worker.postMessage(message);
  };
  worker.unref();
  worker.on('message', (message: Reply) => reply(message));
  worker.on('error', (cause) => lost(closed('The worker of this program failed.', cause)));
  worker.on('exit', () => {
    ended.resolve();
    lost(closed('The worker of this program ended.'));
  });
  let asked = false;
  return {
    post,
    waited(somebody) {
      if (somebody) worker.ref();
      else worker.unref();
    },
    /** The worker ends itself when its native call is over: terminating it inside one aborts the whole process (Napi::Error, seen). */
    async end() {
      if (!asked) post({ kind: 'close' });
      asked = true;
      worker.ref();
      await ended.promise;
    },
  };
}

function closed(message: string, cause?: unknown): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('PROGRAM_CLOSED', message, {}, { cause });
}
