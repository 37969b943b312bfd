import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Layout } from '../train/layout.ts';
import { layered, type LayerRange, type SplitModel } from './layered.ts';

/** Some layers of a model that follow each other, held and computed in one place. */
export interface Stage extends LayerRange {
  readonly model: SplitModel;
  /** Place in the row of stages, 0 for the first, and how many there are. */
  readonly index: number;
  readonly count: number;
  /** Its parameters, with offsets in its own vector. */
  readonly layout: Layout;
  /** Where its vector begins in the model's. */
  readonly offset: number;
}

/**
 * Cuts a model into `count` stages of as many layers each as is possible, the first ones longer by one where it does not come out even.
 *
 * Throws INVALID_OPTION for more stages than layers, LIMIT_REACHED above `limits.stagesMax`, and what `checkModel` throws.
 */
export function splitModel(model: SplitModel, count: number): readonly Stage[] {
  checkModel(model);
  const { layers } = layered(model);
  if (!Number.isInteger(count) || count < 1 || count > layers)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', `A model of ${layers} layers has 1 to ${layers} stages.`);
  if (count > limits.stagesMax)
    throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', `At most ${limits.stagesMax} stages.`, { count });
  return Array.from({ length: count }, (_, index) => stageOf(model, index, count));
}

/** One of the stages that `splitModel` gives. */
export function stageOf(model: SplitModel, index: number, count: number): Stage {
  const { layers, layerOf, layout } = layered(model);
  const [from, to] = [border(layers, index, count), border(layers, index + 1, count)];
  const own = layout.parameters.filter(({ name }) => layerOf(name) >= from && layerOf(name) < to);
  const offset = own[0]?.offset ?? 0;
  const parameters = own.map((parameter) => ({ ...parameter, offset: parameter.offset - offset }));
  const size = own.reduce((total, parameter) => total + parameter.size, 0);
  return { model, index, count, from, to, layout: { parameters, size }, offset };
}

/** A stage's weights inside the model's one vector: a view, so that writing one writes the other. */
export function stageWeights({ offset, layout }: Stage, weights: Float32Array): Float32Array {
  return weights.subarray(offset, offset + layout.size);
}

/** Names of the tensors of a batch that a stage wants; those of the loss too when it learns. */
export function stageInputs({ model, index, count }: Stage, pass: 'forward' | 'backward'): readonly string[] {
  const isLast = index === count - 1;
  return Object.entries(layered(model).inputs)
    .filter(
      ([, wanted]) =>
        wanted === 'every' ||
        (wanted === 'first' && index === 0) ||
        (wanted === 'last' && isLast) ||
        (wanted === 'loss' && isLast && pass === 'backward'),
    )
    .map(([name]) => name);
}

/** Throws INVALID_OPTION for sizes no such model can have, LIMIT_EXCEEDED for one whose graphs or activations would be too large. */
export function checkModel(model: SplitModel): void {
  const counts =
    model.type === 'mlp'
      ? [...model.widths, model.rows]
      : [...Object.values(model.sizes), ...Object.values(model.batch)];
  if (!counts.every((count) => Number.isInteger(count) && count > 0 && count <= limits.deltaElementsMax))
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'Sizes of a model are whole numbers above 0.');
  if (model.type === 'mlp') checkMlp(model);
  else checkLanguageModel(model);
  const { layers, layout, stateShape } = layered(model);
  atMost('elements', layout.size, limits.deltaElementsMax);
  const { stageActivationBytesMax } = limits;
  for (const layer of new Set([1, layers - 1, layers]))
    atMost('activation bytes', 4 * product(stateShape(layer)), stageActivationBytesMax);
}

function checkMlp({ widths, rows }: SplitModel & { readonly type: 'mlp' }): void {
  if (widths.length < 2) throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'A network has inputs and outputs.');
  atMost('layers', widths.length - 1, limits.stageLayersMax);
  for (const width of widths) atMost('activation bytes', 4 * rows * width, limits.stageActivationBytesMax);
}

function checkLanguageModel({ sizes, batch }: SplitModel & { readonly type: 'language-model' }): void {
  atMost('layers', sizes.layers, limits.stageLayersMax);
  if (sizes.width % (2 * sizes.heads) !== 0)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'The width is a multiple of twice the heads.');
  if (batch.length > sizes.context || batch.learned > batch.rows * batch.length)
    throw new PeerAiError<NnErrorCode>(
      'INVALID_OPTION',
      'A row is longer than the context, or more is learned than there is.',
    );
  atMost('scores', batch.rows * sizes.heads * batch.length ** 2, limits.stageScoresMax);
}

function atMost(what: string, value: number, most: number): void {
  if (value > most)
    throw new PeerAiError('LIMIT_EXCEEDED', `${value} ${what}; at most ${most}.`, { what, value, most });
}

const product = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);
const border = (layers: number, index: number, count: number): number =>
  index * Math.floor(layers / count) + Math.min(index, layers % count);
