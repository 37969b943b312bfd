/**
 * The process that runs one ONNX file of the user's. Started by `confine.ts`, with nothing but a channel to its parent.
 *
 * The model runs in a thread (`worker.ts`), so that this one can always look at the memory, and end everything when the parent is gone.
 */
import { rmdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { type Asked, loadId, type Question, type Reply, type WorkerStart } from '../../program/messages.ts';
import { workerFile } from '../worker-file.ts';
import { ChildFault } from './child-fault.ts';
import type { Cancel, ChildAnswer, ChildQuestion, ChildReply, ChildStart } from './child-messages.ts';
import { textAnswers, type TextAnswers } from './text-answers.ts';

process.once('disconnect', end);
process.once('message', (message) => void start(message as ChildStart));

/** A native call that never returns can only be ended from outside of its thread, and only with its process. */
function end(): void {
  try {
    rmdirSync(process.cwd());
  } catch {
    // The parent removes it.
  }
  process.kill(process.pid, 'SIGKILL');
}

async function start(start: ChildStart): Promise<void> {
  const { memoryBytesMax, answerBytesMax, lookMs } = start;
  const looking = setInterval(() => {
    const memoryBytes = process.memoryUsage.rss();
    if (memoryBytes <= memoryBytesMax) return;
    clearInterval(looking);
    tell({ id: -1, memoryBytes }, end);
  }, lookMs);
  const thread = openThread(start);
  let texts: TextAnswers | undefined;
  await replying(loadId, async () => {
    await thread.loaded;
    texts = await textAnswers(start, thread.ask);
    return { id: loadId, ...texts.facts };
  });
  let going = new AbortController();
  const answer = async (question: ChildQuestion): Promise<ChildAnswer> => {
    const { id } = question;
    going = new AbortController();
    if (question.kind === 'embed') return bounded({ id, ...(await texts?.embed(question)) }, answerBytesMax);
    if (question.kind !== 'write-text') return bounded({ ...(await thread.ask(question)), id }, answerBytesMax);
    const finish = await texts?.write(question, (text) => tell({ id, text }), going.signal);
    return { id, ...(finish && { finish }) };
  };
  process.on('message', (question: ChildQuestion | Cancel) => {
    if (question.kind === 'cancel') going.abort();
    else void replying(question.id, () => answer(question));
  });
}

/** The thread with the model: one question at a time is asked. */
function openThread({ graph, carry, threads }: WorkerStart) {
  const worker = new Worker(workerFile, { workerData: { graph, carry, threads } satisfies WorkerStart });
  worker.once('error', end);
  worker.once('exit', end);
  let id = loadId;
  let pending = Promise.withResolvers<Reply>();
  worker.on('message', (reply: Reply) => pending.resolve(reply));
  const reply = async (): Promise<Pick<ChildAnswer, 'tensors' | 'tensor'>> => {
    const said = await pending.promise;
    if ('code' in said) throw new ChildFault(said.code, said.message, said.details);
    return said;
  };
  return {
    loaded: reply(),
    ask: (asked: Asked) => {
      pending = Promise.withResolvers<Reply>();
      id += 1;
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
      worker.postMessage({ ...asked, id } satisfies Question);
      return reply();
    },
  };
}

async function replying(id: number, work: () => Promise<ChildAnswer>): Promise<void> {
  try {
    tell(await work());
  } catch (error) {
    const fault = error instanceof ChildFault ? error : new ChildFault('MODEL_REFUSED', String(error));
    const { code, message, details } = fault;
    tell({ id, code, message, details });
  }
}

function tell(reply: ChildReply, then?: () => void): void {
  process.send?.(reply, () => then?.());
}

/** An answer of gigabytes would be the parent's memory next. Throws MODEL_REFUSED. */
function bounded(answer: ChildAnswer, bytesMax: number): ChildAnswer {
  const bytes = Object.values(answer.tensors ?? {}).reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes <= bytesMax) return answer;
  const message = `The model gives ${bytes} bytes; ${bytesMax} are allowed.`;
  throw new ChildFault('MODEL_REFUSED', message, { bytes, bytesMax });
}
