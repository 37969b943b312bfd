import { type LoadOptions, PeerAiError, type Prompt, type Sampling } from '@peerai/core-protocol';

import { throwIfAborted } from '../../abort.ts';
import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { WriterFacts, WriterFinish } from './child-messages.ts';
import { decoderShape } from './decoder-shape.ts';
import { checkFiles, started, startOf } from './foreign-program.ts';
import { readOnnxSummary } from './onnx-summary.ts';

export interface WriterOptions extends LoadOptions {
  /** Time of one whole answer, and of giving one up, milliseconds; unless said half an hour and a second. */
  readonly answerMsMax?: number;
  readonly cancelMsMax?: number;
}
/** A language model that answers. */
export interface ForeignWriter extends AsyncDisposable {
  readonly facts: WriterFacts;
  /**
   * Text as it comes through `heard`, then what it took. An aborted answer ends with the reason `cancelled` and leaves the model loaded, when its step is over
   * in time; else its process ends. Throws PROMPT_TOO_LONG, INVALID_FORMAT (the chat template refuses these messages), MODEL_REFUSED, LIMIT_REACHED, RUN_LIMIT,
   * MODEL_MEMORY_EXCEEDED, PROGRAM_CLOSED, ABORTED before its turn.
   */
  write(
    prompt: Prompt,
    sampling: Sampling & { readonly seed: number },
    heard: (text: string) => void,
    signal: AbortSignal,
  ): Promise<WriterFinish>;
}

/**
 * A decoder of the user's (`decoderShape`) with its text files (`text-files.ts`), in a process as `createForeignRuntime` starts it. Tokenizer, chat template,
 * key-value cache and the choice of tokens stay in that process; text comes out. `runMsMax` is the time from one token to the next.
 *
 * Throws what `createForeignRuntime().load` throws, MODEL_INVALID for a tokenizer or template that is none, MODEL_FILE_MISSING.
 */
export async function loadForeignWriter(
  graph: Uint8Array,
  files: Uint8Array,
  options: WriterOptions,
): Promise<ForeignWriter> {
  throwIfAborted(options.signal);
  const shape = decoderShape(readOnnxSummary(graph));
  checkFiles(files);
  const start = startOf(graph, { ...options, carry: shape.carry });
  const program = await started({ ...start, writing: { files, shape } }, options);
  const { answerMsMax, cancelMsMax } = options;
  return {
    facts: program.facts ?? { contextTokens: 0, hasTemplate: false, draws: false },
    async write({ messages }, sampling, heard, signal) {
      const chars = messages.reduce((sum, { text }) => sum + text.length, 0);
      if (chars > limits.foreignPromptCharsMax) {
        const message = `The prompt has ${chars} characters; ${limits.foreignPromptCharsMax} are allowed.`;
        throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', message);
      }
      const hearing = { heard, answerMsMax, cancelMsMax };
      const { finish } = await program.ask({ kind: 'write-text', messages, sampling }, signal, hearing);
      if (finish !== undefined) return finish;
      throw new PeerAiError<NnErrorCode>('MODEL_REFUSED', 'The model ended without a finish.');
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
