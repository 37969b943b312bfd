import {
  add,
  batchNorm,
  batchNormTraining,
  concat,
  convolve,
  crossEntropy,
  flatten,
  freshStatistics,
  type Graph,
  matmul,
  maxPool,
  relu,
  type Value,
} from '../graph/index.ts';
import { type Layout, layoutOf, parameterValues } from '../train/layout.ts';
import { gaussian } from '../train/random.ts';

/** Sizes of a small convolutional network over square images. */
export interface ConvSizes {
  /** Channels of an image, count. */
  readonly channels: number;
  /** Places along one side; halved by each stage. */
  readonly side: number;
  /** Filters of each stage: a 3 × 3 convolution, batch normalisation, ReLU, and the largest of each 2 × 2. */
  readonly filters: readonly number[];
  readonly classes: number;
}

const kernelSide = 3;

/** Parameters: `kernel.N` [filters, in, 3, 3], `gain.N` and `bias.N` [filters] per stage, then `output` [features, classes] and `outputBias` [classes]. */
export function convLayout({ channels, side, filters, classes }: ConvSizes): Layout {
  const shapes: Record<string, readonly number[]> = {};
  filters.forEach((count, stage) => {
    shapes[`kernel.${stage}`] = [count, filters[stage - 1] ?? channels, kernelSide, kernelSide];
    shapes[`gain.${stage}`] = [count];
    shapes[`bias.${stage}`] = [count];
  });
  const last = side / 2 ** filters.length;
  shapes['output'] = [(filters.at(-1) ?? channels) * last * last, classes];
  shapes['outputBias'] = [classes];
  return layoutOf(shapes);
}

/** Running statistics: `mean.N` and `variance.N` [filters] per stage. Steps carry them on, gradients do not change them. */
export const convStatisticsLayout = ({ filters }: Pick<ConvSizes, 'filters'>): Layout =>
  layoutOf(
    Object.fromEntries(
      filters.flatMap((count, stage) => [
        [`mean.${stage}`, [count]],
        [`variance.${stage}`, [count]],
      ]),
    ),
  );

/** All that an answer needs, in one flat vector: the parameters, then the statistics. */
export function convWholeLayout(sizes: ConvSizes): Layout {
  const parts = [...convLayout(sizes).parameters, ...convStatisticsLayout(sizes).parameters];
  return layoutOf(Object.fromEntries(parts.map(({ name, shape }) => [name, shape])));
}

/** Fresh weights, normal with deviation √(2 / inputs) (He et al., arXiv 1502.01852); gains 1, biases 0. */
export function convWeights(sizes: ConvSizes, random: () => number): Float32Array {
  const layout = convLayout(sizes);
  const weights = new Float32Array(layout.size);
  for (const { name, shape, offset, size } of layout.parameters) {
    if (name.startsWith('gain.')) weights.fill(1, offset, offset + size);
    if (shape.length === 1) continue;
    const inputs = shape.length === 4 ? size / (shape[0] ?? 1) : (shape[0] ?? 1);
    const deviation = Math.sqrt(2 / inputs);
    for (let index = offset; index < offset + size; index += 1) weights[index] = gaussian(random) * deviation;
  }
  return weights;
}

/** Statistics before the first step. */
export function convStatistics({ filters }: Pick<ConvSizes, 'filters'>): Float32Array {
  const parts = filters.flatMap((count) => {
    const { mean, variance } = freshStatistics(count);
    return [...mean, ...variance];
  });
  return Float32Array.from(parts);
}

/**
 * Images [n, channels, side, side] to class scores [n, classes], by running statistics: `parameters` are those of `convWholeLayout`. A variance that became
 * negative on its way through noise counts as 0. Throws SHAPE_MISMATCH, also when `side` does not halve that often.
 */
export function convForward(images: Value, parameters: ReadonlyMap<string, Value>, sizes: ConvSizes): Value {
  return stages(images, parameters, sizes, (drawn, stage) => {
    const running = { mean: take(parameters, `mean.${stage}`), variance: relu(take(parameters, `variance.${stage}`)) };
    return batchNorm(drawn, take(parameters, `gain.${stage}`), take(parameters, `bias.${stage}`), running);
  });
}

/**
 * Mean cross-entropy of a batch: adds the inputs `images` [rows, channels, side, side] and `labels` int64 [rows], and the state `statistics` with the output
 * `statistics.next`, for `TrainerOptions.statistics`.
 */
export function convLoss(sizes: ConvSizes, rows: number) {
  return (graph: Graph, parameters: ReadonlyMap<string, Value>): Value => {
    const images = graph.input('images', [rows, sizes.channels, sizes.side, sizes.side]);
    const labels = graph.input('labels', [rows], 'int64');
    const layout = convStatisticsLayout(sizes);
    const running = parameterValues(layout, graph.input('statistics', [layout.size]));
    const moved: Value[] = [];
    const scores = stages(images, parameters, sizes, (drawn, stage) => {
      const before = { mean: take(running, `mean.${stage}`), variance: take(running, `variance.${stage}`) };
      const [gain, bias] = [take(parameters, `gain.${stage}`), take(parameters, `bias.${stage}`)];
      const { output, next } = batchNormTraining(drawn, gain, bias, before);
      moved.push(next.mean, next.variance);
      return output;
    });
    graph.output(
      'statistics.next',
      graph.untaped(() => concat(moved, 0)),
    );
    return crossEntropy(scores, labels, graph.constant(new Float32Array(rows).fill(1)));
  };
}

function stages(
  images: Value,
  parameters: ReadonlyMap<string, Value>,
  sizes: ConvSizes,
  normalise: (drawn: Value, stage: number) => Value,
): Value {
  let state = images;
  sizes.filters.forEach((_, stage) => {
    const drawn = convolve(state, take(parameters, `kernel.${stage}`), { padding: 1 });
    state = maxPool(relu(normalise(drawn, stage)), 2);
  });
  return add(matmul(flatten(state), take(parameters, 'output')), take(parameters, 'outputBias'));
}

function take(parameters: ReadonlyMap<string, Value>, name: string): Value {
  const value = parameters.get(name);
  if (value === undefined) throw new RangeError(`the layout has no parameter ${name}`);
  return value;
}
