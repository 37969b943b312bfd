import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import type { ForeignValue, OnnxSummary } from './onnx-summary.ts';

/** How a language model is asked for its next token. */
export interface DecoderShape {
  /** Its inputs besides the cache, by name. */
  readonly inputs: Readonly<Record<string, 'int64' | 'int32'>>;
  /** Output to input of the cache; empty for a model without one, which reads the whole text again for each token. */
  readonly carry: Readonly<Record<string, string>>;
  /** Input of the cache to its shape before the first token: [1, heads, 0, width]. */
  readonly cache: Readonly<Record<string, readonly number[]>>;
  /** Scores of one token; 0 where the file leaves that open. */
  readonly vocabulary: number;
}
/** A model that takes tokens: what it does with texts once it has a tokenizer. */
export type TextKind = 'language' | 'embedding';

const tokenInputs = new Set(['input_ids', 'attention_mask', 'position_ids', 'num_logits_to_keep', 'token_type_ids']);
const pastName = /^past_key_values\.\d+\.(?:key|value)$/u;
const presentOf = (past: string): string => past.replace('past_key_values', 'present');

/** What a model with a tokenizer would be, by the names that exporters give its tensors; undefined for one that takes no tokens. */
export function textKindOf({ inputs, outputs }: Pick<OnnxSummary, 'inputs' | 'outputs'>): TextKind | undefined {
  if (inputs.every(({ name }) => name !== 'input_ids')) return undefined;
  return outputs.some(({ name }) => name === 'logits') ? 'language' : 'embedding';
}

/**
 * A decoder as Hugging Face Optimum and Transformers.js export it: `input_ids` [batch, sequence] (and `attention_mask`, `position_ids`,
 * `num_logits_to_keep`) and `past_key_values.N.key|value` [batch, heads, past, width] in, `logits` [batch, sequence, vocabulary] and `present.N.key|value` out.
 * Tokens are int64 or int32, the cache and the scores float32 or float16.
 *
 * Throws MODEL_REFUSED, which names the input or output that does not fit.
 */
export function decoderShape({ inputs, outputs }: Pick<OnnxSummary, 'inputs' | 'outputs'>): DecoderShape {
  const given = new Map(outputs.map((value) => [value.name, value]));
  const taken: Record<string, 'int64' | 'int32'> = {};
  const [carry, cache]: [Record<string, string>, Record<string, readonly number[]>] = [{}, {}];
  for (const value of inputs) {
    if (pastName.test(value.name)) {
      const present = given.get(presentOf(value.name));
      cache[value.name] = emptyCache(value, present);
      carry[presentOf(value.name)] = value.name;
    } else taken[value.name] = tokenType(value);
  }
  if (taken['input_ids'] === undefined) throw refused('It has no input_ids.');
  if ('token_type_ids' in taken) throw refused('It takes token_type_ids, which no decoder does.');
  const lost = outputs.find(({ name }) => name.startsWith('present') && !(name in carry));
  if (lost !== undefined) throw refused(`It gives ${lost.name}, and takes no past for it.`);
  return { inputs: taken, carry, cache, vocabulary: scoresOf(given.get('logits')) };
}

function tokenType({ name, type, shape }: ForeignValue): 'int64' | 'int32' {
  if (!tokenInputs.has(name)) {
    const hint =
      'Export it with `optimum-cli export onnx --task text-generation-with-past`; a merged decoder with use_cache_branch is not taken.';
    throw refused(`It takes ${name}, which is not given here.`, hint);
  }
  const rank = name === 'num_logits_to_keep' ? 0 : 2;
  if ((type !== 'int64' && type !== 'int32') || shape.length > 2 || (rank === 2 && shape.length !== 2))
    throw refused(`${name} is ${type} [${shape.join(', ')}]; int64 or int32 [batch, sequence] is taken.`);
  const isOpen = rank === 0 || ((shape[0] === 1 || typeof shape[0] === 'string') && typeof shape[1] === 'string');
  if (!isOpen) throw refused(`${name} has the fixed sizes [${shape.join(', ')}]; the sequence must be open.`);
  return type;
}

function emptyCache({ name, type, shape }: ForeignValue, present: ForeignValue | undefined): readonly number[] {
  const [batch, heads, past, width] = shape;
  const fits =
    shape.length === 4 &&
    (batch === 1 || typeof batch === 'string') &&
    typeof heads === 'number' &&
    typeof past === 'string' &&
    typeof width === 'number' &&
    (type === 'float32' || type === 'float16');
  if (!fits)
    throw refused(
      `${name} is ${type} [${shape.join(', ')}]; float32 or float16 [batch, heads, past, width] is taken, heads and width fixed.`,
    );
  if (present?.type !== type || present.shape.length !== 4)
    throw refused(`${name} needs the output ${presentOf(name)} of its own type and rank.`);
  return [1, heads, 0, width];
}

function scoresOf(logits: ForeignValue | undefined): number {
  const fits = (logits?.type === 'float32' || logits?.type === 'float16') && logits.shape.length === 3;
  if (!fits) throw refused('It needs an output logits of float32 or float16 [batch, sequence, vocabulary].');
  const vocabulary = logits.shape[2];
  return typeof vocabulary === 'number' ? vocabulary : 0;
}

function refused(what: string, hint = 'Import it without a tokenizer to use its tensors as they are.'): PeerAiError {
  return new PeerAiError<NnErrorCode>('MODEL_REFUSED', `This is no language model that answers here. ${what}`, {
    hint,
  });
}
