import type { Tensor, Tensors } from '@peerai/core-protocol';

import { limits } from '../../limits.ts';
import { StopFilter } from '../../nano/stop-filter.ts';
import type { Asked } from '../../program/messages.ts';
import { chooseToken } from '../../text/sample.ts';
import { seededUnit } from '../../train/random.ts';
import { ChildFault } from './child-fault.ts';
import type { ChildAnswer, WriteQuestion, WriterFinish } from './child-messages.ts';
import type { DecoderShape } from './decoder-shape.ts';
import type { Language } from './language.ts';
import { wordsOf } from './prompt-text.ts';
import { tokenReader } from './token-reader.ts';

export interface WriterDeps {
  readonly shape: DecoderShape;
  readonly language: Language;
  /** Asks the thread with the model, which keeps the cache. Throws what it answers. */
  readonly ask: (asked: Asked) => Promise<Pick<ChildAnswer, 'tensors'>>;
}

/**
 * One answer: the prompt is read in pieces, then one token a run, the cache carried from run to run.
 *
 * @param say - each piece of text; empty while the prompt is read.
 * Throws PROMPT_TOO_LONG, INVALID_FORMAT, MODEL_REFUSED, and what `ask` throws.
 */
export async function writeText(
  { shape, language, ask }: WriterDeps,
  { messages, sampling }: Pick<WriteQuestion, 'messages' | 'sampling'>,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<WriterFinish> {
  const { tokenizer, ends, repetitionPenalty } = language;
  const { contextTokens } = language.facts;
  const prompt = promptTokens(language, messages);
  if (prompt.length >= contextTokens) {
    const message = `The prompt has ${prompt.length} tokens; the model takes ${contextTokens} with its answer.`;
    throw new ChildFault('PROMPT_TOO_LONG', message);
  }
  const random = seededUnit(sampling.seed);
  const wish = { ...language.sampling, ...sampling };
  const filter = new StopFilter(sampling.stop ?? []);
  const reader = tokenReader((tokens) => textOf(language, tokens));
  const tokens = [...prompt];
  const said = (): number => tokens.length - prompt.length;
  const step = await begin({ shape, language, ask });
  const finish = (reason: WriterFinish['reason']): WriterFinish => ({
    reason,
    promptTokens: prompt.length,
    answerTokens: said(),
  });
  const rest = (): string => filter.push(reader.end()) + filter.end();
  if (sampling.maxTokens <= 0) return finish('length');
  for (const piece of promptPieces(shape, tokenizer.get_vocab().size, prompt.slice(0, -1))) {
    await step(piece, []);
    say('');
    if (signal.aborted) return finish('cancelled');
  }
  for (let last = prompt.at(-1) ?? language.begin; ;) {
    const scores = await step([last], tokens);
    if (signal.aborted) return finish('cancelled');
    if (repetitionPenalty !== 1) penalise(scores, tokens, repetitionPenalty);
    last = chooseToken(scores, wish, random);
    if (!Number.isFinite(scores[last]))
      throw new ChildFault('MODEL_REFUSED', 'The model gives scores that are no numbers.');
    if (ends.has(last)) {
      say(rest());
      return finish('stop');
    }
    tokens.push(last);
    const text = filter.push(reader.push(last));
    const isLast = filter.stopped || said() >= sampling.maxTokens || tokens.length >= contextTokens;
    // The last token and what was held back are one piece: there are never more pieces than tokens.
    say(isLast ? text + rest() : text);
    if (isLast) return finish(filter.stopped ? 'stop' : 'length');
  }
}

/** Throws INVALID_FORMAT. */
function promptTokens(language: Language, messages: WriteQuestion['messages']): readonly number[] {
  const { tokenizer, template } = language;
  const text = template?.(messages) ?? messages.map((message) => message.text).join('\n');
  try {
    // A template writes the special tokens itself.
    const ids: readonly number[] = tokenizer.encode(text, { add_special_tokens: template === undefined }).ids;
    if (ids.every((id) => Number.isSafeInteger(id))) return ids.length === 0 ? [language.begin] : ids;
  } catch (error) {
    throw new ChildFault('INVALID_FORMAT', `The tokenizer cannot take this text: ${wordsOf(error)}.`);
  }
  throw new ChildFault('INVALID_FORMAT', 'The tokenizer cannot take this text: a piece of it has no token.');
}

function textOf({ tokenizer }: Language, tokens: readonly number[]): string {
  const known = tokens.filter((token) => tokenizer.id_to_token(token) !== undefined);
  if (known.length === 0) return '';
  return tokenizer.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
}

/** What is read in one run each. A model without a cache reads the whole text with its last token: nothing goes before. */
export function* promptPieces(
  shape: Pick<DecoderShape, 'cache' | 'vocabulary'>,
  words: number,
  prompt: readonly number[],
): Generator<readonly number[]> {
  if (Object.keys(shape.cache).length === 0) return;
  const vocabulary = shape.vocabulary || words;
  const rows = Math.floor(limits.foreignPrefillBytesMax / (4 * Math.max(1, vocabulary)));
  const size = Math.max(1, Math.min(rows, limits.foreignPrefillTokensMax));
  for (let at = 0; at < prompt.length; at += size) yield prompt.slice(at, at + size);
}

/** Empties the cache. What it gives puts tokens behind those before, or all of them where there is no cache, and gives the scores after the last. */
async function begin({ shape, ask }: WriterDeps) {
  for (const [input, sizes] of Object.entries(shape.cache))
    await ask({ kind: 'write', input, value: { type: 'float32', shape: sizes, data: new Float32Array() } });
  const isCached = Object.keys(shape.cache).length > 0;
  let past = 0;
  return async (next: readonly number[], all: readonly number[]): Promise<Float32Array> => {
    const { tensors } = await ask({ kind: 'run', feeds: feedsOf(shape, isCached ? next : all, past) });
    if (isCached) past += next.length;
    const logits = tensors?.['logits'];
    const vocabulary = logits?.shape[2] ?? 0;
    if (!(logits?.data instanceof Float32Array) || vocabulary === 0)
      throw new ChildFault('MODEL_REFUSED', 'The model gives no scores.');
    return logits.data.subarray(-vocabulary);
  };
}

function feedsOf({ inputs }: DecoderShape, next: readonly number[], past: number): Tensors {
  const of = (name: string): Tensor => {
    const type = inputs[name] ?? 'int64';
    if (name === 'num_logits_to_keep') return tokenTensor(type, [1], []);
    if (name === 'attention_mask') {
      const count = past + next.length;
      return tokenTensor(
        type,
        Array.from({ length: count }, () => 1),
        [1, count],
      );
    }
    const numbers = name === 'position_ids' ? next.map((_, place) => past + place) : next;
    return tokenTensor(type, numbers, [1, next.length]);
  };
  return Object.fromEntries(Object.keys(inputs).map((name) => [name, of(name)]));
}

function tokenTensor(type: 'int64' | 'int32', numbers: readonly number[], shape: readonly number[]): Tensor {
  return type === 'int64'
    ? { type, shape, data: BigInt64Array.from(numbers, BigInt) }
    : { type, shape, data: Int32Array.from(numbers) };
}

function penalise(scores: Float32Array, tokens: readonly number[], penalty: number): void {
  for (const token of new Set(tokens)) {
    const score = scores[token];
    if (score !== undefined) scores[token] = score > 0 ? score / penalty : score * penalty;
  }
}
