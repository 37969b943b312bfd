import { PeerAiError } from '@peerai/core-protocol';
import { languageModelLayout, type LanguageModelSizes } from '@peerai/nn-engine';
import { byteModelGguf, type GgufWeights, nanoDecoderGguf } from '@peerai/nn-engine/export';
import {
  baseCodec,
  byteTokenizerJson,
  decodeModelFile,
  nanoCodec,
  type NanoModelFile,
  nanoTokenizerJson,
  type TokenCodec,
  type Vocabulary,
} from '@peerai/nn-engine/text';
import { languageSizes } from '../../training/language-task.ts';
import type { TrainedRun } from '../../training/training.ts';
import type { OwnModelsDeps } from '../own-models.ts';

/** A language model with all its weights. */
export interface LanguageSource {
  readonly name: string;
  /** What finds it again: a run's id, or `nano`. */
  readonly key: string;
  readonly sizes: LanguageModelSizes;
  /** Flat, as `languageModelLayout`. */
  readonly weights: Float32Array;
  /** Word pieces like the guide's; null where a token is a byte. */
  readonly vocabulary: Vocabulary | null;
  readonly codec: TokenCodec;
  readonly tokenizer: () => Uint8Array;
  readonly gguf: (weights: GgufWeights) => Uint8Array;
  /** Of the shipped guide, which listens before it recites. */
  readonly guide?: NanoModelFile;
}

/** What a run is called as a model: signs that have a meaning in names of models become `-`. */
export const modelNameOf = ({ name }: Pick<TrainedRun, 'name'>): string => name.replaceAll(/[^\p{L}\p{N}._:-]+/gu, '-');

/** Of those runs that are language models: what they look like inside. */
export function sizesOfRun({ plan }: Pick<TrainedRun, 'plan'>): LanguageModelSizes | undefined {
  if (plan.model === 'adapter') return plan.base.sizes;
  return plan.model === 'language' ? languageSizes(plan) : undefined;
}

/** Throws HASH_MISMATCH, BASE_MISSING for an adapter whose base is gone, UNSUPPORTED for a run over a table. */
export async function sourceOfRun(
  { training }: Pick<OwnModelsDeps, 'training'>,
  run: TrainedRun,
): Promise<LanguageSource> {
  if (sizesOfRun(run) === undefined)
    throw new PeerAiError('UNSUPPORTED', `${run.name} tells labels apart; it is no language model`, {
      hint: `\`peerai models export "${run.name}" --format onnx\` gives its network.`,
    });
  const { sizes, vocabulary, weights } = await training().languageOf(run.id);
  return {
    name: modelNameOf(run),
    key: run.id,
    sizes,
    weights,
    vocabulary,
    codec: baseCodec({ vocabulary }),
    tokenizer: () => (vocabulary === null ? byteTokenizerJson() : nanoTokenizerJson(vocabulary)),
    gguf: (stored) =>
      vocabulary === null
        ? byteModelGguf(sizes, weights, run.name, stored)
        : nanoDecoderGguf(sizes, weights, run.name, stored),
  };
}

/** The shipped guide: what recites, and the file with what listens. Throws INVALID_FORMAT. */
export function sourceOfNano(bytes: Uint8Array): LanguageSource {
  const guide = decodeModelFile(bytes);
  const { sizes, vocabulary } = guide;
  const weights = guide.weights.subarray(0, languageModelLayout(sizes).size);
  return {
    name: 'nano',
    key: 'nano',
    sizes,
    weights,
    vocabulary,
    codec: nanoCodec(vocabulary),
    tokenizer: () => nanoTokenizerJson(vocabulary),
    gguf: (stored) => nanoDecoderGguf(sizes, weights, 'nano', stored),
    guide,
  };
}
