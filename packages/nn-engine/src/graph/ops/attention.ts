import type { Value } from '../graph.ts';
import { fixedShape, mismatch, sameShape } from '../shape.ts';
import { sum } from './broadcast.ts';
import { add, multiply, subtract } from './elementwise.ts';
import { matmul, swapLast } from './linear.ts';
import { softmax } from './reduce.ts';
import { concat, slice, split } from './shape.ts';

/** Rows of queries that are computed together; below twice as many a row is not cut. */
const blockRows = 32;
/** Blocks a row is cut into at most. */
const blocksMax = 4;

/** Queries `start` to before `end`, which see the keys before `end`. */
interface Block {
  readonly start: number;
  readonly end: number;
}

/**
 * softmax(query · keyᵀ + mask) · value, where a place sees itself and what came before: query, key, value [… t, d], mask [… t, t] → [… t, d]. The mask
 * must hide later places. Throws SHAPE_MISMATCH.
 *
 * The queries are cut into blocks, each with the keys up to its end, so that most of what the mask hides is never computed. Backwards Σ dp·p over the keys
 * is Σ dy·y over a head's width (Dao et al., arXiv 2205.14135, B.2), which is shorter: ds = p · (dp − Σ dy·y).
 */
export function causalAttention(query: Value, key: Value, value: Value, mask: Value): Value {
  const { graph } = query;
  for (const other of [key, value]) {
    if (!sameShape(query.shape, other.shape))
      mismatch(graph.nextNodeName('MatMul'), query.shape, other.shape, 'differ as queries and what they look at');
  }
  const axis = query.shape.length - 2;
  const [length] = fixedShape(query.shape.slice(axis)) as readonly [number, number];
  const blocks = blocksOf(length);
  const sizes = blocks.map(({ start, end }) => end - start);
  const cut = (whole: Value): readonly Value[] => (blocks.length === 1 ? [whole] : split(whole, axis, sizes));
  const until = (whole: Value, end: number): Value => (end === length ? whole : slice(whole, axis, 0, end));
  const [output, parts] = graph.untaped(() => {
    const queries = cut(query);
    const made = blocks.map(({ start, end }, index) => {
      const [asked, keys, values] = [queries[index] as Value, until(key, end), until(value, end)];
      const scores = add(matmul(asked, swapLast(keys)), maskOf(mask, { start, end }));
      const shares = softmax(scores);
      return { end, asked, keys, values, shares, mixed: matmul(shares, values) };
    });
    return [
      joined(
        made.map(({ mixed }) => mixed),
        axis,
      ),
      made,
    ] as const;
  });
  return graph.record('CausalAttention', output, [query, key, value, mask], (gradient) => {
    const backward = once(() => {
      const gradients = cut(gradient);
      return parts.map((part, index) => {
        const received = gradients[index] as Value;
        const sums = sum(multiply(received, part.mixed), [axis + 1], true);
        const scores = multiply(part.shares, subtract(matmul(received, swapLast(part.values)), sums));
        return { ...part, received, scores };
      });
    });
    const overlaid = (make: (part: ReturnType<typeof backward>[number]) => Value): Value =>
      backward()
        .map(make)
        .reduce((before, next) => overlay(before, next, axis));
    return [
      () =>
        joined(
          backward().map(({ scores, keys }) => matmul(scores, keys)),
          axis,
        ),
      () => overlaid(({ scores, asked }) => matmul(swapLast(scores), asked)),
      () => overlaid(({ shares, received }) => matmul(swapLast(shares), received)),
      undefined,
    ];
  });
}

function blocksOf(length: number): readonly Block[] {
  const count = Math.max(1, Math.min(blocksMax, Math.floor(length / blockRows)));
  const ends = Array.from({ length: count }, (_, index) => Math.floor(((index + 1) * length) / count));
  return ends.map((end, index) => ({ start: ends[index - 1] ?? 0, end }));
}

function maskOf(mask: Value, { start, end }: Block): Value {
  const axis = mask.shape.length - 1;
  const length = mask.shape[axis];
  if (end - start === length) return mask;
  const rows = slice(mask, axis - 1, start, end);
  return end === length ? rows : slice(rows, axis, 0, end);
}

const joined = (parts: readonly Value[], axis: number): Value =>
  parts.length === 1 ? (parts[0] as Value) : concat(parts, axis);

/** `longer` with `shorter` added to its first places. */
function overlay(shorter: Value, longer: Value, axis: number): Value {
  const [overlap, whole] = fixedShape([shorter, longer].map(({ shape }) => shape[axis] ?? 0)) as [number, number];
  const [head, tail] = split(longer, axis, [overlap, whole - overlap]) as readonly [Value, Value];
  return concat([add(head, shorter), tail], axis);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
