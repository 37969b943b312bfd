import {
  add,
  convolve,
  crossEntropy,
  flatten,
  type Graph,
  matmul,
  maxPool,
  relu,
  reshape,
  type Value,
} from '../graph/index.ts';
import { type Layout, layoutOf } from '../train/layout.ts';
import { gaussian } from '../train/random.ts';

/** Sizes of a small convolutional network over square images. */
export interface ConvSizes {
  /** Channels of an image, count. */
  readonly channels: number;
  /** Places along one side; halved by each stage. */
  readonly side: number;
  /** Filters of each stage: a 3 × 3 convolution, ReLU, and the largest of each 2 × 2. */
  readonly filters: readonly number[];
  readonly classes: number;
}

const kernelSide = 3;

/** Parameters: `kernel.N` [filters, in, 3, 3], `bias.N` [filters] per stage, then `output` [features, classes] and `outputBias` [classes]. */
export function convLayout({ channels, side, filters, classes }: ConvSizes): Layout {
  const shapes: Record<string, readonly number[]> = {};
  filters.forEach((count, stage) => {
    shapes[`kernel.${stage}`] = [count, filters[stage - 1] ?? channels, kernelSide, kernelSide];
    shapes[`bias.${stage}`] = [count];
  });
  const last = side / 2 ** filters.length;
  shapes['output'] = [(filters.at(-1) ?? channels) * last * last, classes];
  shapes['outputBias'] = [classes];
  return layoutOf(shapes);
}

/** Fresh weights, normal with deviation √(2 / inputs) (He et al., arXiv 1502.01852); biases 0. */
export function convWeights(sizes: ConvSizes, random: () => number): Float32Array {
  const layout = convLayout(sizes);
  const weights = new Float32Array(layout.size);
  for (const { shape, offset, size } of layout.parameters) {
    if (shape.length === 1) continue;
    const inputs = shape.length === 4 ? size / (shape[0] ?? 1) : (shape[0] ?? 1);
    const deviation = Math.sqrt(2 / inputs);
    for (let index = offset; index < offset + size; index += 1) weights[index] = gaussian(random) * deviation;
  }
  return weights;
}

/** Images [n, channels, side, side] to class scores [n, classes]. Throws SHAPE_MISMATCH, also when `side` does not halve that often. */
export function convForward(images: Value, parameters: ReadonlyMap<string, Value>, sizes: ConvSizes): Value {
  const take = (name: string): Value => {
    const value = parameters.get(name);
    if (value === undefined) throw new RangeError(`the layout has no parameter ${name}`);
    return value;
  };
  let state = images;
  sizes.filters.forEach((count, stage) => {
    const drawn = convolve(state, take(`kernel.${stage}`), { padding: 1 });
    state = maxPool(relu(add(drawn, reshape(take(`bias.${stage}`), [count, 1, 1]))), 2);
  });
  return add(matmul(flatten(state), take('output')), take('outputBias'));
}

/** Mean cross-entropy of a batch: adds the inputs `images` [rows, channels, side, side] and `labels` int64 [rows]. */
export function convLoss(sizes: ConvSizes, rows: number) {
  return (graph: Graph, parameters: ReadonlyMap<string, Value>): Value => {
    const images = graph.input('images', [rows, sizes.channels, sizes.side, sizes.side]);
    const labels = graph.input('labels', [rows], 'int64');
    return crossEntropy(convForward(images, parameters, sizes), labels, graph.constant(new Float32Array(rows).fill(1)));
  };
}
