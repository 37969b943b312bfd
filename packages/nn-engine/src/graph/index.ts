export { gradients } from './gradients.ts';
export { Graph, type TapeEntry, type Value } from './graph.ts';
export { broadcastShape, sameShape, showShape, sizeOf } from './shape.ts';
export type { Attribute, Attributes, Dimension, ElementType, Shape } from './onnx.ts';
export { causalAttention } from './ops/attention.ts';
export {
  add,
  and,
  divide,
  equal,
  exponential,
  greater,
  logarithm,
  minimum,
  multiply,
  negate,
  reciprocal,
  relu,
  scale,
  sigmoid,
  silu,
  squareRoot,
  subtract,
  tanh,
  where,
} from './ops/elementwise.ts';
export {
  type BatchNorm,
  batchNorm,
  batchNormTraining,
  freshStatistics,
  type RunningStatistics,
} from './ops/batch-norm.ts';
export { averagePool, type ConvolutionOptions, convolve, flatten, maxPool } from './ops/convolution.ts';
export { type GateGradient, thresholdGate } from './ops/gate.ts';
export { matmul, swapLast } from './ops/linear.ts';
export { mean, softmax } from './ops/reduce.ts';
export { expand, reshape, reshapeOpen, sum } from './ops/broadcast.ts';
export { concat, slice, split, splitFlat, transpose } from './ops/shape.ts';
export { crossEntropy, gatherRows, oneHot } from './ops/tokens.ts';
export { rmsNorm, rotaryAngles, rotate } from './ops/transformer.ts';
