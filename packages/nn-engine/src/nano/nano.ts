import {
  type AnswerPart,
  type Clock,
  type LanguageModel,
  PeerAiError,
  type Prompt,
  type Runtime,
  type Sampling,
} from '@peerai/core-protocol';

import { throwIfAborted, unlessAborted } from '../abort.ts';
import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Corpus } from './corpus-types.ts';
import { lexicalHash } from './embedding.ts';
import { begin, choose, type Chosen, loadEngine, type NanoEngine, type ReadQuestion, readQuestion } from './engine.ts';
import { kernelFloats } from './plain.ts';
import { nanoSizes } from './sizes.ts';
import { StopFilter } from './stop-filter.ts';
import { special } from './tokenizer.ts';

export interface NanoDeps {
  /** Gives the bytes of `assets/nano.bin`; called once, at the first prompt or `warm`. In Node: `readNanoFile` of `@peerai/nn-engine/node`. */
  readonly file: (signal: AbortSignal) => Promise<Uint8Array>;
  readonly clock: Clock;
  /** The questions and answers to suggest from; by default the corpus the shipped file was trained on. */
  readonly corpus?: Corpus;
  /** Decodes on this runtime instead of our own loop. */
  readonly runtime?: Runtime;
}

const suggestionCount = 3;
/** The event loop gets a turn after so many tokens, about 6 ms. */
const tokensPerTurn = 8;

/**
 * The embedded guide: 2.6 million parameters that recite what they learned about PeerAI, and say so when they are not sure.
 *
 * It reads the last user message and nothing else, decodes greedily (sampling's temperature, topP and seed change nothing), and refuses with three
 * suggested questions when the joint probability of its first tokens is low. `generate` throws PROMPT_TOO_LONG, ABORTED, INVALID_FORMAT.
 */
export function createNano(deps: NanoDeps): LanguageModel {
  return nanoFrom(() => load(deps), deps.clock);
}

/** A nano model over whatever gives an engine; `open` is called once, at the first prompt or `warm`, and again after it failed. */
export function nanoFrom(open: () => Promise<NanoEngine>, clock: Clock): LanguageModel {
  let loading: Promise<NanoEngine> | undefined;
  let loaded = false;
  const engine = async (signal: AbortSignal): Promise<NanoEngine> => {
    throwIfAborted(signal);
    loading ??= open().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    const result = await unlessAborted(loading, signal);
    loaded = true;
    return result;
  };
  return {
    specification: 1,
    card: {
      name: 'nano',
      engine: 'nano',
      contextTokensMax: limits.nanoContextTokens,
      memoryBytes: kernelFloats(nanoSizes) * Float32Array.BYTES_PER_ELEMENT,
      get loaded() {
        return loaded;
      },
      deterministic: true,
      fits: true,
      embeds: true,
      description:
        'A tiny guide to PeerAI that recites stored answers; it does not reason and refuses what it does not know.',
    },
    async *generate(prompt, sampling, signal) {
      yield* answer(await engine(signal), clock, prompt, sampling, signal);
    },
    async embed(texts, signal) {
      return await embed(texts, clock, signal);
    },
    async warm(signal) {
      await engine(signal);
    },
  };
}

async function load({ file, corpus, runtime }: NanoDeps): Promise<NanoEngine> {
  const bytes = await file(new AbortController().signal);
  return await loadEngine(bytes, corpus ?? (await import('./corpus/index.ts')).corpus, runtime);
}

async function* answer(
  engine: NanoEngine,
  clock: Clock,
  prompt: Prompt,
  sampling: Sampling,
  signal: AbortSignal,
): AsyncIterable<AnswerPart> {
  const text = prompt.messages.findLast((message) => message.role === 'user')?.text ?? '';
  if (text.length > limits.nanoQuestionCharsMax) throw tooLong(text.length, limits.nanoQuestionCharsMax, 'characters');
  const question = readQuestion(engine.tokenizer, text);
  const tokensMax = Math.min(limits.nanoQuestionTokensMax, engine.file.sizes.context / 2);
  if (question.tokens.length > tokensMax) throw tooLong(question.tokens.length, tokensMax, 'tokens');
  const usage = (answerTokens: number) => ({ promptTokens: question.tokens.length, answerTokens });
  const sure = question.readable ? await recite(engine, clock, question, signal) : undefined;
  const filter = new StopFilter(sampling.stop ?? []);
  if (sure === undefined) {
    const suggestions = engine.retriever().nearest(question.text, suggestionCount);
    const refusal = `${engine.corpus.refusal}\n\nDid you mean:\n${suggestions.map((item) => `- ${item}`).join('\n')}`;
    const tokens = engine.tokenizer.encode(refusal);
    const shown =
      tokens.length <= sampling.maxTokens ? refusal : engine.tokenizer.decode(tokens.slice(0, sampling.maxTokens));
    const reason = shown === refusal ? 'stop' : 'length';
    const kept = filter.push(shown) + filter.end();
    if (kept !== '') yield { type: 'text-delta', text: kept };
    return void (yield {
      type: 'finish',
      reason,
      usage: usage(Math.min(tokens.length, sampling.maxTokens)),
      suggestions,
    });
  }
  let count = 0;
  let ended = false;
  try {
    for await (const token of sure) {
      throwIfAborted(signal);
      ended = token === special.end;
      if (ended || count >= sampling.maxTokens) break;
      count += 1;
      const shown = filter.push(engine.tokenizer.decode([token]));
      if (shown !== '') yield { type: 'text-delta', text: shown };
      if (filter.stopped) break;
    }
  } finally {
    await sure.return(undefined);
  }
  const rest = filter.end();
  if (rest !== '') yield { type: 'text-delta', text: rest };
  yield { type: 'finish', reason: ended || filter.stopped ? 'stop' : 'length', usage: usage(count) };
}

/** The answer's tokens one after the other, or nothing when the model is not sure or begins to refuse by itself. */
async function recite(
  engine: NanoEngine,
  clock: Clock,
  question: ReadQuestion,
  signal: AbortSignal,
): Promise<AsyncGenerator<number, void> | undefined> {
  const { gate, sizes } = engine.file;
  const session = await engine.decoder.open();
  let chosen: Chosen;
  const first: number[] = [];
  let confidence = 1;
  try {
    chosen = await begin(engine, session, question);
    for (;;) {
      first.push(chosen.token);
      confidence *= chosen.probability;
      if (chosen.token === special.end || first.length >= gate.tokens) break;
      chosen = await choose(session, chosen.token);
    }
    await clock.sleep(0, signal);
  } catch (error) {
    await session.close();
    throw error;
  }
  if (confidence < gate.minimum || engine.corpus.refusal.startsWith(engine.tokenizer.decode(first))) {
    await session.close();
    return undefined;
  }
  return (async function* () {
    try {
      yield* first;
      const room = sizes.context - question.tokens.length - first.length;
      for (let count = 1, token = first.at(-1) as number; token !== special.end && count <= room; count += 1) {
        ({ token } = await choose(session, token));
        if (count % tokensPerTurn === 0) await clock.sleep(0, signal);
        yield token;
      }
    } finally {
      await session.close();
    }
  })();
}

async function embed(texts: readonly string[], clock: Clock, signal: AbortSignal): Promise<readonly Float32Array[]> {
  if (texts.length > limits.embedTextsMax) throw tooLong(texts.length, limits.embedTextsMax, 'texts');
  const rows: Float32Array[] = [];
  for (const text of texts) {
    if (text.length > limits.embedCharsMax) throw tooLong(text.length, limits.embedCharsMax, 'characters');
    rows.push(lexicalHash(text));
    if (rows.length % tokensPerTurn === 0) await clock.sleep(0, signal);
  }
  return rows;
}

function tooLong(size: number, max: number, unit: string): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('PROMPT_TOO_LONG', `Nano takes ${max} ${unit}; this has ${size}.`, {
    size,
    max,
    unit,
  });
}
