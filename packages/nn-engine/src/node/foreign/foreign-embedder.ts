import { type LoadOptions, PeerAiError, type Tensor } from '@peerai/core-protocol';

import { throwIfAborted } from '../../abort.ts';
import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { checkFiles, type ForeignProgram, started, startOf } from './foreign-program.ts';
import { type OnnxSummary, readOnnxSummary } from './onnx-summary.ts';

/** A model that turns texts into vectors. */
export interface ForeignEmbedder extends AsyncDisposable {
  /** One float32 row a text, L2 norm 1. Throws MODEL_REFUSED, LIMIT_REACHED, RUN_LIMIT, MODEL_MEMORY_EXCEEDED, PROGRAM_CLOSED, ABORTED. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

/** The inputs of an embedding model, and its output. Throws MODEL_REFUSED for a model that is none. */
function embeddingShape({ inputs, outputs }: OnnxSummary) {
  const names = inputs.map(({ name }) => name);
  const [output] = outputs;
  const takes =
    inputs.every(({ name, type }) => type === 'int64' && tokenInputs.has(name)) && names.includes('input_ids');
  if (takes && output?.type === 'float32' && (output.shape.length === 2 || output.shape.length === 3))
    return { inputs: names, output: output.name };
  throw new PeerAiError<NnErrorCode>(
    'MODEL_REFUSED',
    'An embedding model takes input_ids (and attention_mask, token_type_ids) as int64 and gives one vector of float32 a text or a token first.',
    { hint: 'Import it without a tokenizer to use its tensors as they are.' },
  );
}
const tokenInputs = new Set(['input_ids', 'attention_mask', 'token_type_ids']);

/**
 * A sentence embedding model of the user's with its text files (`text-files.ts`), in a process as `createForeignRuntime` starts it: the tokenizer runs there too.
 * Vectors are the model's own where it gives one a text, else the mean over a text's tokens; longer texts are cut.
 *
 * Throws what `createForeignRuntime().load` throws, and MODEL_INVALID for what is no tokenizer.
 */
export async function loadForeignEmbedder(
  graph: Uint8Array,
  files: Uint8Array,
  options: LoadOptions,
): Promise<ForeignEmbedder> {
  throwIfAborted(options.signal);
  const { inputs, output } = embeddingShape(readOnnxSummary(graph));
  checkFiles(files);
  const texts = { files, inputs, output, tokensMax: limits.foreignTokensMax };
  const program = await started({ ...startOf(graph, options), texts }, options);
  return {
    embed: (list, signal) => embed(program, list, signal),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

const none: Tensor = { type: 'float32', shape: [0, 0], data: new Float32Array() };

async function embed(
  program: ForeignProgram,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  if (texts.length > limits.embedTextsMax || texts.some((text) => text.length > limits.embedCharsMax)) {
    const message = `At most ${limits.embedTextsMax} texts of ${limits.embedCharsMax} characters at once.`;
    throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', message);
  }
  const vectors: Float32Array[] = [];
  for (let at = 0; at < texts.length; at += limits.foreignTextsAtOnce) {
    const some = texts.slice(at, at + limits.foreignTextsAtOnce);
    const { shape, data } = (await program.ask({ kind: 'embed', texts: some }, signal)).tensors?.['vectors'] ?? none;
    const width = shape[1] ?? 0;
    for (let row = 0; row < some.length; row += 1)
      vectors.push(Float32Array.from(data as Float32Array).slice(row * width, (row + 1) * width));
  }
  return vectors;
}
