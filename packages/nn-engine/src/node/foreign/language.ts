import type { Sampling } from '@peerai/core-protocol';
import type { Tokenizer } from '@huggingface/tokenizers';

import { limits } from '../../limits.ts';
import { ChildFault } from './child-fault.ts';
import type { WriterFacts } from './child-messages.ts';
import { chatTemplate, type PromptText, tokenText, wordsOf } from './prompt-text.ts';
import type { TextFiles } from './text-files.ts';

/** What a language model's files say of how it is used. */
export interface Language {
  readonly facts: WriterFacts;
  readonly tokenizer: Tokenizer;
  readonly template: PromptText | undefined;
  /** Tokens after which an answer is over. */
  readonly ends: ReadonlySet<number>;
  /** Where there is no text to begin with. */
  readonly begin: number;
  /** What is used where the question does not say. */
  readonly sampling: Pick<Sampling, 'temperature' | 'topP'> & { readonly topK: number };
  /** Scores of tokens that were there are divided by it, where they are above 0, else multiplied (Keskar et al., arXiv 1909.05858). */
  readonly repetitionPenalty: number;
}

/** What no model for answers is, by `architectures` in its config.json. */
const otherArchitecture = /For(?:MaskedLM|SequenceClassification|TokenClassification|QuestionAnswering)$/u;

/** Throws MODEL_INVALID for a tokenizer or a template that is none, MODEL_REFUSED for a model that is none for answers. */
export async function readLanguage(files: TextFiles): Promise<Language> {
  const { 'config.json': config = {}, 'generation_config.json': generation = {} } = files;
  const { 'tokenizer_config.json': tokenizerConfig = {} } = files;
  const architectures: unknown[] = Array.isArray(config['architectures']) ? config['architectures'] : [];
  const other = architectures.find((name): name is string => typeof name === 'string' && otherArchitecture.test(name));
  if (other !== undefined) throw new ChildFault('MODEL_REFUSED', `config.json says ${other}: it answers nothing.`);
  const tokenizer = await readTokenizer(files);
  const template = await chatTemplate(files);
  const endText = tokenText(tokenizerConfig['eos_token']);
  const endId = endText === undefined ? undefined : tokenizer.token_to_id(endText);
  const ends = numbers(generation['eos_token_id']) ?? numbers(config['eos_token_id']) ?? numbers(endId) ?? [];
  const [begin = ends[0] ?? 0] = numbers(generation['bos_token_id']) ?? numbers(config['bos_token_id']) ?? [];
  const draws = generation['do_sample'] === true;
  const topK = positive(generation['top_k']) ?? limits.foreignTopK;
  return {
    facts: { contextTokens: contextOf(config), hasTemplate: template !== undefined, draws },
    tokenizer,
    template,
    ends: new Set(ends),
    begin,
    sampling: {
      temperature: draws ? (positive(generation['temperature']) ?? 1) : 0,
      topP: positive(generation['top_p']) ?? 1,
      topK: Math.max(1, Math.floor(topK)),
    },
    repetitionPenalty: positive(generation['repetition_penalty']) ?? 1,
  };
}

/** What its author wrote runs here, in this process: patterns that never end are ended with it. Throws MODEL_INVALID. */
export async function readTokenizer(files: TextFiles): Promise<Tokenizer> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  try {
    return new Tokenizer(files['tokenizer.json'], files['tokenizer_config.json'] ?? {});
  } catch (error) {
    throw new ChildFault('MODEL_INVALID', `This is no tokenizer.json: ${wordsOf(error)}.`);
  }
}

/** The names that config.json has for it, newest first. */
function contextOf(config: Readonly<Record<string, unknown>>): number {
  const named = ['max_position_embeddings', 'n_positions', 'n_ctx', 'max_seq_len', 'seq_length'];
  const context = named.map((name) => positive(config[name])).find((size) => size !== undefined);
  return Math.min(Math.floor(context ?? limits.foreignContextTokensAssumed), limits.foreignContextTokensMax);
}

const positive = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;

function numbers(value: unknown): readonly number[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const found = list.filter((one): one is number => Number.isSafeInteger(one));
  return found.length === 0 ? undefined : found;
}
