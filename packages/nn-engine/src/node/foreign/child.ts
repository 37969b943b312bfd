/**
 * The process that runs one ONNX file of the user's. Started by `confine.ts`, with nothing but a channel to its parent.
 *
 * The model runs in a thread (`worker.ts`), so that this one can always look at the memory, and end everything when the parent is gone.
 */
import { rmdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { loadId, type Question, type Reply, type WorkerErrorCode, type WorkerStart } from '../../program/messages.ts';
import { workerFile } from '../worker-file.ts';
import type { ChildQuestion, ChildReply, ChildStart, EmbedQuestion } from './child-messages.ts';
import { tokenFeeds, type TokenRows, tokenRows, unitVectors } from './embed-texts.ts';

process.once('disconnect', end);
process.once('message', (message) => start(message as ChildStart));

/** A native call that never returns can only be ended from outside of its thread, and only with its process. */
function end(): void {
  try {
    rmdirSync(process.cwd());
  } catch {
    // The parent removes it.
  }
  process.kill(process.pid, 'SIGKILL');
}

function start({ graph, carry, threads, memoryBytesMax, answerBytesMax, lookMs, texts }: ChildStart): void {
  const worker = new Worker(workerFile, { workerData: { graph, carry, threads } satisfies WorkerStart });
  worker.on('message', (reply: Reply) => void answer(reply));
  worker.once('error', end);
  worker.once('exit', end);
  const ask = (question: Question): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
    worker.postMessage(question);
  };
  let encode: ((text: string) => readonly unknown[]) | undefined;
  /** The texts whose tokens the model has now. */
  let asked: TokenRows | undefined;
  const answer = async (reply: Reply): Promise<void> => {
    if (reply.id === loadId && texts !== undefined && !('code' in reply)) {
      try {
        encode = await readTokenizer(texts.tokenizer);
      } catch (error) {
        return tell(refused(reply.id, 'MODEL_INVALID', `This is no tokenizer.json: ${wordsOf(error)}.`));
      }
    }
    const rows = asked;
    asked = undefined;
    if (rows === undefined || texts === undefined || 'code' in reply) return tell(bounded(reply, answerBytesMax));
    const output = reply.tensors?.[texts.output];
    const vectors = output === undefined ? undefined : unitVectors(output, rows);
    if (vectors === undefined) return tell(refused(reply.id, 'MODEL_REFUSED', 'The model gives no vectors for texts.'));
    tell(bounded({ id: reply.id, tensors: { vectors } }, answerBytesMax));
  };
  const embed = (question: EmbedQuestion): void => {
    if (encode === undefined || texts === undefined) return;
    try {
      asked = tokenRows(question.texts, encode, texts.tokensMax);
    } catch (error) {
      return tell(refused(question.id, 'MODEL_REFUSED', `The tokenizer cannot take this text: ${wordsOf(error)}.`));
    }
    ask({ kind: 'run', id: question.id, feeds: tokenFeeds(asked, texts.inputs) });
  };
  process.on('message', (question: ChildQuestion) => (question.kind === 'embed' ? embed(question) : ask(question)));
  const looking = setInterval(() => {
    const memoryBytes = process.memoryUsage.rss();
    if (memoryBytes <= memoryBytesMax) return;
    clearInterval(looking);
    tell({ id: -1, memoryBytes }, end);
  }, lookMs);
}

/** What its author wrote runs here, in this process: patterns that never end are ended with it. */
async function readTokenizer(bytes: Uint8Array): Promise<(text: string) => readonly unknown[]> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const tokenizer = new Tokenizer(JSON.parse(new TextDecoder().decode(bytes)) as object, {});
  return (text) => tokenizer.encode(text).ids;
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const refused = (id: number, code: WorkerErrorCode, message: string): ChildReply => ({
  id,
  code,
  message,
  details: {},
});

function tell(reply: ChildReply, then?: () => void): void {
  process.send?.(reply, () => then?.());
}

/** An answer of gigabytes would be the parent's memory next. */
function bounded(reply: Reply, bytesMax: number): Reply {
  const tensors = 'tensors' in reply ? Object.values(reply.tensors ?? {}) : [];
  const bytes = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes <= bytesMax) return reply;
  const message = `The model gives ${bytes} bytes; ${bytesMax} are allowed.`;
  return { id: reply.id, code: 'MODEL_REFUSED', message, details: { bytes, bytesMax } };
}
