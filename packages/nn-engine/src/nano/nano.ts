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
import { createMargins } from '../text/margins.ts';
import type { Choice } from '../text/sample.ts';
import { lexicalHash } from './embedding.ts';
import { begin, choose, loadEngine, type NanoEngine, readQuestion } from './engine.ts';
import { type Heard, listenedMargin, listenerLayout } from './listener.ts';
import { kernelFloats } from './plain.ts';
import { nanoSizes } from './sizes.ts';
import { StopFilter } from './stop-filter.ts';
import { special } from './tokenizer.ts';

export interface NanoDeps {
  /** Gives the bytes of `assets/nano.bin`; called at the first prompt or `warm`, and once more by `identify`. In Node: `readNanoFile` of `@peerai/nn-engine/node`. */
  readonly file: (signal: AbortSignal) => Promise<Uint8Array>;
  readonly clock: Clock;
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
 * suggested questions when the listener is not sure what a question is about. `generate` throws PROMPT_TOO_LONG, ABORTED, INVALID_FORMAT.
 */
export function createNano(deps: NanoDeps): LanguageModel {
  const model = nanoFrom(() => load(deps), deps.clock);
  let hashing: Promise<Uint8Array> | undefined;
  const hashed = async (): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', (await deps.file(new AbortController().signal)).slice()));
  return {
    ...model,
    async identify(signal) {
      hashing ??= hashed().catch((error: unknown) => {
        hashing = undefined;
        throw error;
      });
      return {
        weights: await unlessAborted(hashing, signal),
        engine: 'nano',
        version: `1 ${await model.arithmetic(signal)}`,
      };
    },
  };
}

/** A nano model over whatever gives an engine; `open` is called once, at the first prompt or `warm`, and again after it failed. */
export function nanoFrom(
  open: () => Promise<NanoEngine>,
  clock: Clock,
): LanguageModel & {
  /** What it computes with: sums in another order may choose another word. */
  arithmetic(signal: AbortSignal): Promise<string>;
} {
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
      memoryBytes: (kernelFloats(nanoSizes) + listenerLayout(nanoSizes).size) * Float32Array.BYTES_PER_ELEMENT,
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
    arithmetic: async (signal) => (await engine(signal)).decoder.name,
  };
}

async function load({ file, runtime }: NanoDeps): Promise<NanoEngine> {
  return await loadEngine(await file(new AbortController().signal), runtime);
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
  const promptTokens = question.tokens.length + 1;
  const tokensMax = Math.min(limits.nanoQuestionTokensMax, engine.file.sizes.context / 2);
  if (promptTokens > tokensMax) throw tooLong(promptTokens, tokensMax, 'tokens');
  const heard = engine.listen(question.text);
  const sure = question.readable && heard.topic !== undefined && heard.probability >= engine.file.gate.minimum;
  const isTaken = sure && heard.topic !== undefined;
  // What cannot be read is refused whatever the listener says; only what a refusal names is its choice.
  const listened = listenedMargin(heard, question.readable ? engine.file.gate.minimum : 0, isTaken, suggestionCount);
  const usage = (answerTokens: number) => ({ promptTokens, answerTokens });
  const filter = new StopFilter(sampling.stop ?? []);
  if (!sure || heard.topic === undefined) {
    const { shown, ...finish } = refuse(engine, heard, sampling);
    const kept = filter.push(shown) + filter.end();
    if (kept !== '') yield { type: 'text-delta', text: kept, ...told(listened) };
    return void (yield {
      type: 'finish',
      reason: finish.reason,
      usage: usage(finish.tokens),
      suggestions: finish.suggestions,
      ...told(listened),
    });
  }
  const margins = createMargins();
  const delta = (shown: string): AnswerPart => ({ type: 'text-delta', text: shown, ...told(margins.shown(shown)) });
  let [count, ended, ofEnd] = [0, false, listened];
  for await (const { token, margin } of recite(engine, clock, question.tokens, heard.topic, signal)) {
    throwIfAborted(signal);
    ended = token === special.end;
    if (ended || count >= sampling.maxTokens) {
      ofEnd = Math.min(listened, margin);
      break;
    }
    count += 1;
    const read = engine.tokenizer.decode([token]);
    margins.read(read, Math.min(listened, margin));
    const shown = filter.push(read);
    if (shown !== '') yield delta(shown);
    if (filter.stopped) break;
  }
  const rest = filter.end();
  if (rest !== '') yield delta(rest);
  const reason = ended || filter.stopped ? 'stop' : 'length';
  yield { type: 'finish', reason, usage: usage(count), ...told(Math.min(ofEnd, margins.rest())) };
}

const told = (margin: number): { readonly margin?: number } => (Number.isFinite(margin) ? { margin } : {});

/** The refusal and the questions that were nearest, within the tokens allowed. */
function refuse({ file, tokenizer }: NanoEngine, { ranking }: Heard, { maxTokens }: Sampling) {
  const suggestions = ranking.slice(0, suggestionCount).map((topic) => file.questions[topic] ?? '');
  const whole = `${file.refusal}\n\nDid you mean:\n${suggestions.map((item) => `- ${item}`).join('\n')}`;
  const tokens = tokenizer.encode(whole);
  const fits = tokens.length <= maxTokens;
  const shown = fits ? whole : tokenizer.decode(tokens.slice(0, maxTokens));
  return { shown, suggestions, reason: fits ? 'stop' : 'length', tokens: Math.min(tokens.length, maxTokens) } as const;
}

/** The tokens of the answer to a topic one after the other, its end included when the context has room for it. */
async function* recite(
  engine: NanoEngine,
  clock: Clock,
  question: readonly number[],
  topic: number,
  signal: AbortSignal,
): AsyncGenerator<Choice, void> {
  const session = await engine.decoder.open(signal);
  try {
    let choice = await begin(engine, session, question, topic);
    const room = engine.file.sizes.context - question.length - 1;
    for (let count = 1; ; count += 1) {
      yield choice;
      if (choice.token === special.end || count > room) return;
      if (count % tokensPerTurn === 0) await clock.sleep(0, signal);
      choice = await choose(session, choice.token);
    }
  } finally {
    await session.close();
  }
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
