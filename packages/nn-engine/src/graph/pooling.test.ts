import { expect, it } from 'vitest';

import { createNodeRuntime } from '../node/runtime.ts';
import { gradients, Graph, maxPool, sum } from './index.ts';

it('places that tie for the largest share the gradient, the others get none', async () => {
  const { signal } = new AbortController();
  const graph = new Graph();
  const images = graph.input('images', [1, 1, 2, 4]);
  const [gradient] = gradients(sum(maxPool(images, 2), [0, 1, 2, 3]), [images]);
  if (gradient === undefined) throw new Error('no gradient');
  graph.output('gradient', gradient);
  await using program = await createNodeRuntime().load(graph.toModel(), { signal });
  const data = Float32Array.of(3, 1, 0, 0, 3, 2, 0, 0);
  const result = await program.run({ images: { type: 'float32', shape: [1, 1, 2, 4], data } }, signal);
  expect(Array.from(result['gradient']?.data as Float32Array)).toEqual([0.5, 0, 0.25, 0.25, 0.5, 0, 0.25, 0.25]);
});
