import type { AnswerPart, Clock, LanguageModel, ModelCard, Prompt, Sampling } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { countWords } from '../text/tokens.ts';
import type { Engine } from './engine.ts';
import { hashedVector } from './hashed-vector.ts';

/** Pause of `echo-slow` before each token, milliseconds. */
export const echoSlowTokenMs = 50;
const failsAfterTokens = 3;
const contextTokensMax = 131_072;
const listed = ['echo', 'echo-slow', 'lorem-100', 'fail'];
const latin =
  'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et'.split(' ');

interface Script {
  /** The whole answer, one token each. */
  tokens(prompt: Prompt): Iterable<string>;
  readonly description: string;
  readonly tokenMs?: number;
  readonly failsAfter?: number;
}

/**
 * An engine for tests, never a default: the same text gives the same answer on every machine. `echo` answers `echo: <last user message>`,
 * one word a token; `echo-slow` the same with 50 ms before each token; `lorem-N` gives N tokens as fast as it can; `fail` throws
 * ENGINE_FAILED after 3 tokens.
 */
export function scriptedEngine(deps: { readonly clock: Clock }): Engine {
  return {
    kind: 'scripted',
    list: async () => listed.flatMap((name) => scriptedModel(deps, name) ?? []),
    model: async (name) => scriptedModel(deps, name),
  };
}

/** One model of the scripted engine; `lorem-<digits>` for every count up to `limits.loremTokensMax`. */
export function scriptedModel({ clock }: { readonly clock: Clock }, name: string): LanguageModel | undefined {
  const script = scriptOf(name);
  if (script === undefined) return undefined;
  return {
    specification: 1,
    card: cardOf(name, script.description),
    generate: (prompt, sampling, signal) => play(clock, script, prompt, sampling, signal),
    embed: async (texts, signal) => {
      if (signal.aborted) throw reasonOf(signal);
      return texts.map(hashedVector);
    },
  };
}

function scriptOf(name: string): Script | undefined {
  const echo = { tokens: ({ messages }: Prompt) => tokensOf(`echo: ${lastUserText(messages)}`) };
  if (name === 'echo') return { ...echo, description: 'A test engine: repeats what it is told.' };
  if (name === 'echo-slow') {
    return { ...echo, tokenMs: echoSlowTokenMs, description: 'A test engine: repeats what it is told, slowly.' };
  }
  if (name === 'fail') {
    return {
      tokens: () => lorem(10),
      failsAfter: failsAfterTokens,
      description: 'A test engine: breaks off after 3 tokens.',
    };
  }
  const count = /^lorem-(\d{1,7})$/.exec(name)?.[1];
  if (count === undefined || Number(count) > limits.loremTokensMax) return undefined;
  return {
    tokens: () => lorem(Number(count)),
    description: `A test engine: ${Number(count)} tokens as fast as it can.`,
  };
}

async function* play(
  clock: Clock,
  script: Script,
  prompt: Prompt,
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<AnswerPart, void, undefined> {
  if (signal.aborted) throw reasonOf(signal);
  const promptTokens = prompt.messages.reduce((sum, { text }) => sum + countWords(text), 0);
  if (promptTokens > contextTokensMax) {
    throw llmError('PROMPT_TOO_LONG', `the prompt has ${promptTokens} tokens; this model takes ${contextTokensMax}`);
  }
  let answerTokens = 0;
  let reason: 'stop' | 'length' = 'stop';
  for (const token of untilStop(script.tokens(prompt), sampling.stop ?? [])) {
    if (answerTokens === script.failsAfter)
      throw llmError('ENGINE_FAILED', 'the scripted engine fails here, as it should');
    if (answerTokens >= sampling.maxTokens) {
      reason = 'length';
      break;
    }
    await pause(clock, script, answerTokens, signal);
    answerTokens += 1;
    yield { type: 'text-delta', text: token };
  }
  yield { type: 'finish', reason, usage: { promptTokens, answerTokens } };
}

async function pause(clock: Clock, { tokenMs }: Script, answerTokens: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw reasonOf(signal);
  if (tokenMs !== undefined) await clock.sleep(tokenMs, signal);
  else if (answerTokens > 0 && answerTokens % limits.loremBurstTokens === 0) await clock.sleep(0, signal);
}

/** White space belongs to the word after it, so that the tokens joined are the text. */
function tokensOf(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

function* lorem(count: number): Generator<string, void, undefined> {
  for (let index = 0; index < count; index += 1) {
    yield `${index === 0 ? '' : ' '}${latin[index % latin.length] ?? ''}`;
  }
}

/** Tokens up to the first stop text; without stop texts as they are. */
function untilStop(tokens: Iterable<string>, stops: readonly string[]): Iterable<string> {
  if (stops.length === 0) return tokens;
  const whole = [...tokens].join('');
  const places = stops.map((stop) => whole.indexOf(stop)).filter((place) => place !== -1);
  return tokensOf(whole.slice(0, Math.min(whole.length, ...places)));
}

const lastUserText = (messages: Prompt['messages']): string =>
  messages.findLast(({ role }) => role === 'user')?.text ?? '';

function cardOf(name: string, description: string): ModelCard {
  return {
    name,
    engine: 'scripted',
    contextTokensMax,
    memoryBytes: 0,
    loaded: true,
    deterministic: true,
    fits: true,
    embeds: true,
    description,
  };
}
