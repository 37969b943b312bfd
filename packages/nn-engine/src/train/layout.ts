import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { reshape, showShape, sizeOf, splitFlat, type Value } from '../graph/index.ts';

/** One named parameter tensor inside the flat vector. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** First element in the flat vector. */
  readonly offset: number;
  readonly size: number;
}

/** How the parameters of a model lie one after the other in one float32 vector: the unit of hashing, averaging and shipping. */
export interface Layout {
  readonly parameters: readonly Parameter[];
  /** Elements of the flat vector. */
  readonly size: number;
}

/** A trained model: how its flat vector is cut, and the vector. */
export interface TrainedModel {
  readonly layout: Layout;
  readonly weights: Float32Array;
}

/** Throws SHAPE_MISMATCH when the vector is not as long as the layout says. */
export function checkLength({ layout, weights }: TrainedModel, node = 'weights'): void {
  if (weights.length === layout.size) return;
  const [left, right] = [showShape([weights.length]), showShape([layout.size])];
  throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', `${node}: ${left} and ${right} of the layout differ.`, {
    node,
    left,
    right,
  });
}

/** Lays the parameters out in the order given. */
export function layoutOf(shapes: Readonly<Record<string, readonly number[]>>): Layout {
  let offset = 0;
  const parameters = Object.entries(shapes).map(([name, shape]) => {
    const parameter = { name, shape, offset, size: sizeOf(shape) };
    offset += parameter.size;
    return parameter;
  });
  return { parameters, size: offset };
}

/** The parameters as values of a graph, by name, cut from a flat input. */
export function parameterValues(layout: Layout, flat: Value): ReadonlyMap<string, Value> {
  const sizes = layout.parameters.map((parameter) => parameter.size);
  const parts = flat.graph.untaped(() =>
    splitFlat(flat, sizes).map((part, index) => reshape(part, layout.parameters[index]?.shape ?? [])),
  );
  return new Map(layout.parameters.map((parameter, index) => [parameter.name, parts[index] as Value]));
}
