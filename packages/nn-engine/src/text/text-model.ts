import type { AnswerPart, Clock, LanguageModel, ModelCard, Prompt, Sampling } from '@peerai/core-protocol';

import { throwIfAborted } from '../abort.ts';
import type { Decoder, DecoderSession } from '../nano/plain.ts';
import { StopFilter } from '../nano/stop-filter.ts';
import { seededUnit } from '../train/random.ts';
import type { TokenCodec } from './codec.ts';
import { createMargins } from './margins.ts';
import { chooseWithMargin } from './sample.ts';

/** What computes and reads one answer. */
export interface OpenedText {
  readonly decoder: Decoder;
  readonly codec: TokenCodec;
  /** Tokens it can look back. */
  readonly context: number;
}
export interface TextModelDeps {
  readonly card: ModelCard;
  /** Asked for each answer: keeps what it loads as long as it likes. */
  readonly open: (signal: AbortSignal) => Promise<OpenedText>;
  readonly clock: Clock;
  /** Where a draw begins that brings no seed of its own. */
  readonly seed: () => number;
}

/** The event loop gets a turn after so many tokens. */
const tokensPerTurn = 8;
/** Characters of a prompt that are looked at, for each token of context: no token of ours is longer. */
const charsPerToken = 32;

/**
 * A model that goes on with a text: it reads the end of what was said, as much as half of its context holds, and forgets the oldest half where its
 * context is full. `generate` throws ABORTED, and what `open` and the decoder throw.
 */
export function textModel({ card, open, clock, seed }: TextModelDeps): LanguageModel {
  return {
    specification: 1,
    card,
    async *generate(prompt, sampling, signal) {
      throwIfAborted(signal);
      const random = seededUnit(sampling.seed ?? seed());
      yield* answer(await open(signal), { clock, prompt, sampling, random, signal });
    },
    async warm(signal) {
      await open(signal);
    },
  };
}

interface Asked {
  readonly clock: Clock;
  readonly prompt: Prompt;
  readonly sampling: Sampling;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

async function* answer(
  { decoder, codec, context }: OpenedText,
  { clock, prompt, sampling, random, signal }: Asked,
): AsyncIterable<AnswerPart> {
  const half = Math.floor(context / 2);
  const text = prompt.messages.map((message) => message.text).join('\n');
  const read = codec.encode(text.slice(-charsPerToken * half)).slice(-half);
  const seen = read.length === 0 ? [codec.begin] : [...read];
  const [filter, reader, margins] = [new StopFilter(sampling.stop ?? []), codec.reader(), createMargins()];
  const shownOf = (read: string, margin: number): string => {
    margins.read(read, margin);
    return filter.push(read);
  };
  const delta = (shown: string): AnswerPart => ({ type: 'text-delta', text: shown, ...told(margins.shown(shown)) });
  let [made, ended, ofEnd] = [0, false, Infinity];
  let session: DecoderSession | undefined;
  let used = 0;
  const scoresAfter = async (tokens: readonly number[]): Promise<Float32Array> => {
    session ??= await decoder.open(signal);
    for (const token of tokens.slice(0, -1)) await session.step(token, false);
    used += tokens.length;
    return (await session.step(tokens.at(-1) ?? codec.begin, true)) ?? new Float32Array();
  };
  try {
    let scores = sampling.maxTokens > 0 ? await scoresAfter(seen) : new Float32Array();
    while (made < sampling.maxTokens) {
      throwIfAborted(signal);
      const { token, margin } = chooseWithMargin(scores, sampling, random);
      ended = token === codec.end;
      if (ended) {
        ofEnd = margin;
        break;
      }
      made += 1;
      seen.push(token);
      const shown = shownOf(reader.push(token), margin);
      if (shown !== '') yield delta(shown);
      if (filter.stopped || made >= sampling.maxTokens) break;
      if (made % tokensPerTurn === 0) await clock.sleep(0, signal);
      if (used < context) {
        scores = await scoresAfter([token]);
        continue;
      }
      await session?.close();
      [session, used] = [undefined, 0];
      scores = await scoresAfter(seen.slice(-half));
    }
  } finally {
    await session?.close();
  }
  const rest = shownOf(reader.end(), Infinity) + filter.end();
  if (rest !== '') yield delta(rest);
  const reason = ended || filter.stopped ? 'stop' : 'length';
  const usage = { promptTokens: read.length, answerTokens: made };
  yield { type: 'finish', reason, usage, ...told(Math.min(ofEnd, margins.rest())) };
}

const told = (margin: number): { readonly margin?: number } => (Number.isFinite(margin) ? { margin } : {});
