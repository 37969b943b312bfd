import {
  type Clock,
  type LanguageModel,
  type ModelCard,
  PeerAiError,
  type Prompt,
  type Sampling,
} from '@peerai/core-protocol';
import { type Engine, findModel } from '../engines/engine.ts';
import { type Heard, oneAnswer } from '../engines/one-answer.ts';
import { unitRows } from '../engines/unit-rows.ts';
import { llmError } from '../errors.ts';
import { orAborted, withDeadline } from '../flow/abort.ts';
import { createBell } from '../flow/bell.ts';
import { limits } from '../limits.ts';
import { type HistoryItem, importBinding, type LlamaBinding, type LoadedModel } from './binding.ts';

export interface LlamaCppDeps {
  readonly clock: Clock;
  /** Instead of importing node-llama-cpp. */
  readonly load?: () => Promise<LlamaBinding>;
}
export interface LlamaCppOptions {
  /** A GGUF file. */
  readonly path: string;
  /** What the model is called; else the file's name without `.gguf`. */
  readonly name?: string;
}
interface Ready {
  readonly binding: LlamaBinding;
  readonly model: LoadedModel;
}

/**
 * One GGUF file in this process, on the CPU, through prebuilt binaries of node-llama-cpp 3. It loads with the first question or `warm`, and
 * each answer has a context of its own, at most `limits.contextTokensAssumed` tokens, freed after it.
 *
 * Throws INVALID_FORMAT for a path that is no GGUF file's. `list`, `model` and every question throw ENGINE_MISSING while the package is not
 * installed; ENGINE_FAILED when the file cannot be loaded.
 */
export function llamaCppEngine(deps: LlamaCppDeps, options: LlamaCppOptions): Engine {
  const file = options.path.split(/[/\\]/).at(-1) ?? '';
  const name = options.name ?? file.replace(/\.gguf$/i, '');
  if (!/.\.gguf$/i.test(file)) throw new PeerAiError('INVALID_FORMAT', 'the path of a model must end with .gguf');
  if (name === '') throw new PeerAiError('INVALID_FORMAT', 'a model needs a name');
  const binding = once(deps.load ?? importBinding);
  const facts = { contextTokensMax: limits.contextTokensAssumed as number, memoryBytes: 0, loaded: false };
  const ready = once(async (): Promise<Ready> => {
    const bound = await binding();
    try {
      const llama = await bound.getLlama({ build: 'never', gpu: false });
      const model = await llama.loadModel({ modelPath: options.path });
      const contextTokensMax = Math.min(model.trainContextSize, limits.contextTokensAssumed);
      Object.assign(facts, { contextTokensMax, memoryBytes: model.size, loaded: true });
      return { binding: bound, model };
    } catch (cause) {
      throw llmError('ENGINE_FAILED', `the GGUF file ${file} could not be loaded`, {}, cause);
    }
  });
  const model: LanguageModel = {
    specification: 1,
    get card(): ModelCard {
      return { name, engine: 'llama-cpp', ...facts, deterministic: false, fits: true };
    },
    generate: (prompt, sampling, caller) =>
      oneAnswer(deps.clock, prompt, sampling, caller, (signal) => answer(ready, prompt, sampling, signal)),
    embed: (texts, signal) =>
      withDeadline(deps.clock, limits.embedMs, signal, async (within) => embed((await ready()).model, texts, within)),
    warm: async (signal) => void (await withDeadline(deps.clock, limits.firstTokenMsMax, signal, ready)),
  };
  const list = async (signal: AbortSignal): Promise<readonly LanguageModel[]> => {
    await orAborted(binding(), signal);
    return [model];
  };
  return { kind: 'llama-cpp', list, model: async (wanted, signal) => findModel(await list(signal), wanted) };
}

async function* answer(
  ready: () => Promise<Ready>,
  prompt: Prompt,
  { maxTokens, temperature, topP, seed, stop }: Sampling,
  signal: AbortSignal,
): AsyncGenerator<Heard, void, undefined> {
  const { binding, model } = await ready();
  signal.throwIfAborted();
  const context = await model.createContext({ contextSize: { max: limits.contextTokensAssumed } });
  let working: Promise<unknown> | undefined;
  try {
    // Without this look node-llama-cpp would drop the oldest turns without a word.
    const promptTokens = prompt.messages.reduce((sum, { text }) => sum + model.tokenize(text).length, 0);
    if (promptTokens >= context.contextSize) {
      throw llmError(
        'PROMPT_TOO_LONG',
        `the prompt has ${promptTokens} tokens; there is room for ${context.contextSize}`,
      );
    }
    const sequence = context.getSequence();
    const bell = createBell();
    const pieces: string[] = [];
    const ended: { stopReason?: string } = {};
    const asking = new binding.LlamaChat({ contextSequence: sequence })
      .generateResponse(historyOf(prompt), {
        signal,
        maxTokens,
        ...(temperature === undefined ? {} : { temperature }),
        ...(topP === undefined ? {} : { topP }),
        ...(seed === undefined ? {} : { seed }),
        ...(stop === undefined ? {} : { customStopTriggers: stop }),
        onTextChunk: (text) => {
          pieces.push(text);
          bell.ring();
        },
      })
      .then(({ metadata }) => void (ended.stopReason = metadata.stopReason));
    working = asking.catch(() => undefined);
    for (let changed = bell.next(); ended.stopReason === undefined || pieces.length > 0; changed = bell.next()) {
      const text = pieces.shift();
      if (text === undefined) await orAborted(Promise.race([changed, asking]), signal);
      else yield { text };
    }
    const { usedInputTokens, usedOutputTokens } = sequence.tokenMeter;
    const finish = ended.stopReason === 'maxTokens' ? 'length' : 'stop';
    yield { finish, promptTokens: usedInputTokens, answerTokens: usedOutputTokens };
  } finally {
    // A context may only go when nothing computes in it any more: with an aborted signal that is one token later.
    void Promise.resolve(working).then(() => context.dispose());
  }
}

async function embed(
  model: LoadedModel,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const context = await model.createEmbeddingContext();
  try {
    const rows: (readonly number[])[] = [];
    for (const text of texts) {
      signal.throwIfAborted();
      rows.push((await context.getEmbeddingFor(text)).vector);
    }
    return unitRows(rows, texts.length);
  } finally {
    await context.dispose();
  }
}

/** A tool's result comes as the user's: a prompt does not have the call it belongs to. */
const historyOf = ({ messages }: Prompt): readonly HistoryItem[] =>
  messages.map(({ role, text }) =>
    role === 'assistant' ? { type: 'model', response: [text] } : { type: role === 'system' ? 'system' : 'user', text },
  );

/** Runs once; a failure is not kept. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
