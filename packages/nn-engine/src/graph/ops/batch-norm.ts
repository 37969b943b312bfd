import type { Graph, Value } from '../graph.ts';
import type { Shape } from '../onnx.ts';
import { mismatch, sameShape } from '../shape.ts';
import { reshape, sum } from './broadcast.ts';
import { add, divide, multiply, scale, squareRoot, subtract } from './elementwise.ts';
import { mean } from './reduce.ts';

/** Keeps the root away from zero; ONNX's default. */
const normEpsilon = 1e-5;
/** Share of the running statistics that one step keeps; ONNX's default. */
const keptShare = 0.9;

/** What each channel was like over the batches so far: [channels] each. */
export interface RunningStatistics {
  readonly mean: Value;
  /** Of a whole batch, divided by its count and not by one less, as ONNX has it. */
  readonly variance: Value;
}
export interface BatchNorm {
  readonly output: Value;
  /** The statistics after this batch: carried to the next step, no part of what gradients change. */
  readonly next: RunningStatistics;
}

/**
 * Batch normalisation as it trains (Ioffe and Szegedy, arXiv 1502.03167): x [n, c, …] less the batch's mean of its channel, over the root of the batch's
 * variance, times gain [c], plus bias [c]. Throws SHAPE_MISMATCH, also for sizes that are only known at run time.
 *
 * The running statistics become 0.9 times what they were plus a tenth of the batch's. With n the normalised values and d = dy · gain:
 * dx = (d − mean(d) − n · mean(d · n)) / root, dgain = Σ dy · n, dbias = Σ dy, all over every axis but the channels'.
 */
export function batchNormTraining(value: Value, gain: Value, bias: Value, running: RunningStatistics): BatchNorm {
  const { graph } = value;
  const { spread, others } = checked(value, [gain, bias, running.mean, running.variance]);
  const { output, normalised, root, next } = graph.untaped(() => {
    const centre = mean(value, others, true);
    const centred = subtract(value, centre);
    const variance = mean(multiply(centred, centred), others, true);
    const root = squareRoot(add(variance, graph.constant(normEpsilon)));
    const normalised = divide(centred, root);
    const moved = (before: Value, now: Value): Value =>
      add(scale(before, keptShare), scale(flat(now, before), 1 - keptShare));
    const next = { mean: moved(running.mean, centre), variance: moved(running.variance, variance) };
    return { output: add(multiply(normalised, spread(gain)), spread(bias)), normalised, root, next };
  });
  graph.record('BatchNormTraining', output, [value, gain, bias], (gradient) => [
    () => {
      const scaled = multiply(gradient, spread(gain));
      const along = multiply(normalised, mean(multiply(scaled, normalised), others, true));
      return divide(subtract(subtract(scaled, mean(scaled, others, true)), along), root);
    },
    () => sum(multiply(gradient, normalised), others),
    () => sum(gradient, others),
  ]);
  return { output, next };
}

/**
 * Batch normalisation as it answers, ONNX's own operator: by the running statistics and not by the batch, so each row's result is its own. x [n, c, …], the
 * rest [c]. Throws SHAPE_MISMATCH. Statistics get no gradient: dx = dy · gain / root, dgain = Σ dy · (x − mean) / root, dbias = Σ dy.
 */
export function batchNorm(value: Value, gain: Value, bias: Value, running: RunningStatistics): Value {
  const { graph } = value;
  const inputs = [gain, bias, running.mean, running.variance];
  const { spread, others } = checked(value, inputs);
  const output = graph.emit('BatchNormalization', [value, ...inputs], value.shape, { epsilon: { float: normEpsilon } });
  const root = (): Value => spread(squareRoot(add(running.variance, graph.constant(normEpsilon))));
  return graph.record('BatchNormalization', output, [value, gain, bias], (gradient) => [
    () => divide(multiply(gradient, spread(gain)), root()),
    () => sum(multiply(gradient, divide(subtract(value, spread(running.mean)), root())), others),
    () => sum(gradient, others),
  ]);
}

/** Statistics before the first batch, as ONNX models begin: mean 0, variance 1. */
export const freshStatistics = (
  channels: number,
): { readonly mean: Float32Array; readonly variance: Float32Array } => ({
  mean: new Float32Array(channels),
  variance: new Float32Array(channels).fill(1),
});

/** Axes besides the channels', and what makes [c] fit in front of them. Throws SHAPE_MISMATCH that names the node. */
function checked(value: Value, parts: readonly Value[]) {
  const { graph, shape } = value;
  const [, channels] = shape;
  for (const part of parts) {
    if (shape.length < 2 || typeof channels !== 'number' || !sameShape(part.shape, [channels]))
      mismatch(nameOf(graph), shape, part.shape, 'do not fit as tensor and one number for each channel');
  }
  const wide: Shape = shape.map((_, axis) => (axis === 1 ? (channels ?? 1) : 1));
  return {
    spread: (part: Value): Value => reshape(part, wide as readonly number[]),
    others: shape.map((_, axis) => axis).filter((axis) => axis !== 1),
  };
}

const nameOf = (graph: Graph): string => graph.nextNodeName('BatchNormalization');
const flat = (value: Value, like: Value): Value => reshape(value, like.shape as readonly number[]);
