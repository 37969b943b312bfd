import { type CryptoProvider, PeerAiError, wire } from '@peerai/core-protocol';

import { limits } from '../limits.ts';
import { layered, type SplitModel } from './layered.ts';
import { checkModel, type Stage, stageOf } from './plan.ts';
import { tensorList } from './tensors.ts';

const languageForm = wire.message({
  vocabulary: wire.uint32(1),
  width: wire.uint32(2),
  layers: wire.uint32(3),
  heads: wire.uint32(4),
  hidden: wire.uint32(5),
  context: wire.uint32(6),
  rows: wire.uint32(7),
  length: wire.uint32(8),
  learned: wire.uint32(9),
});
const mlpForm = wire.message({
  widths: wire.repeated(wire.uint32(1), limits.stageLayersMax + 1),
  rows: wire.uint32(2),
});
const stageForm = wire.message({
  index: wire.uint32(1),
  count: wire.uint32(2),
  weights: wire.bytes(3),
  language: wire.optional(wire.nested(4, languageForm)),
  mlp: wire.optional(wire.nested(5, mlpForm)),
});
const openForm = wire.message({
  stage: wire.nested(1, stageForm),
  mode: wire.oneOf(2, ['answer', 'learn', 'decode']),
  activations: wire.oneOf(3, ['float32', 'int8']),
});
export const questionForm = wire.message({
  kind: wire.oneOf(1, ['forward', 'backward', 'update', 'weights', 'extend', 'forget']),
  tensors: tensorList(2),
  /** Of `weights`: the first element that is asked for. */
  offset: wire.optional(wire.uint32(3)),
  /** Of `extend` and `forget`: which of this driver's answers. */
  answer: wire.optional(wire.uint32(4)),
  /** Of `extend`: tokens of the answer before these; 0 begins anew. */
  past: wire.optional(wire.uint32(5)),
});
const errorForm = wire.message({ code: wire.string(1), message: wire.string(2) });
export const answerForm = wire.message({ tensors: tensorList(1), error: wire.optional(wire.nested(2, errorForm)) });
export type StageQuestion = ReturnType<typeof questionForm.decode>;
export type StageAnswer = ReturnType<typeof answerForm.decode>;

/** A stage and the SHA-256 of its weights, little-endian float32. */
export interface NamedStage {
  readonly stage: Stage;
  readonly weights: Uint8Array;
}
export type OpenStage = NamedStage & Pick<ReturnType<typeof openForm.decode>, 'mode' | 'activations'>;

/** What tells stages apart: which layers of which model for which batch, with which weights. */
export function stageHash(crypto: CryptoProvider, { stage, weights }: NamedStage): Uint8Array {
  return crypto.sha256(stageForm.encode(describe(stage, weights)));
}

export function encodeOpen({ stage, weights, mode, activations }: OpenStage): Uint8Array {
  return openForm.encode({ stage: describe(stage, weights), mode, activations });
}

/** Throws INVALID_FORMAT, and what `checkModel` throws. */
export function decodeOpen(bytes: Uint8Array): OpenStage {
  const { stage, mode, activations } = openForm.decode(bytes);
  const { index, count, weights, language, mlp } = stage;
  if (weights.length !== 32) throw invalid('A SHA-256 has 32 bytes.');
  const model = modelOf(language, mlp);
  checkModel(model);
  if (count < 1 || count > Math.min(limits.stagesMax, layered(model).layers) || index >= count)
    throw invalid('There is no such stage.');
  return { stage: stageOf(model, index, count), weights, mode, activations };
}

function describe({ model, index, count }: Stage, weights: Uint8Array): ReturnType<typeof stageForm.decode> {
  const named = { index, count, weights };
  return model.type === 'mlp'
    ? { ...named, language: undefined, mlp: { widths: model.widths, rows: model.rows } }
    : { ...named, language: { ...model.sizes, ...model.batch }, mlp: undefined };
}

function modelOf(
  language: ReturnType<typeof languageForm.decode> | undefined,
  mlp: ReturnType<typeof mlpForm.decode> | undefined,
): SplitModel {
  if (language !== undefined && mlp === undefined) {
    const { rows, length, learned, ...sizes } = language;
    return { type: 'language-model', sizes, batch: { rows, length, learned } };
  }
  if (mlp === undefined || language !== undefined) throw invalid('A stage is of one model.');
  return { type: 'mlp', ...mlp };
}

const invalid = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', text);
