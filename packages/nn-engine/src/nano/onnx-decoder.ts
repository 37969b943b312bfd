import type { Runtime } from '@peerai/core-protocol';

import { rotaryAngles } from '../graph/ops/transformer.ts';
import { decodeCarry, decodeGraph } from '../models/decode-graph.ts';
import type { LanguageModelSizes } from '../models/language-model.ts';
import type { Decoder } from './plain.ts';

/** The decoder on an ONNX runtime: one program a conversation, its key-value cache carried inside. `load` errors pass through. */
export function createOnnxDecoder(sizes: LanguageModelSizes, weights: Float32Array, runtime: Runtime): Decoder {
  const graph = decodeGraph(sizes, weights);
  const carry = decodeCarry(sizes);
  const half = sizes.width / sizes.heads / 2;
  const angles = rotaryAngles(sizes.context, 2 * half);
  const never = new AbortController().signal;
  return {
    name: 'onnx',
    async open() {
      const program = await runtime.load(graph, { signal: never, carry });
      let position = 0;
      const angle = (values: Float32Array) =>
        ({ type: 'float32', shape: [1, half], data: values.slice(position * half, (position + 1) * half) }) as const;
      return {
        async step(token) {
          const feeds = {
            token: { type: 'int64', shape: [1], data: BigInt64Array.of(BigInt(token)) },
            cosines: angle(angles.cosines),
            sines: angle(angles.sines),
          } as const;
          const result = await program.run(feeds, never);
          position += 1;
          return result['logits']?.data as Float32Array;
        },
        close: async () => await program[Symbol.asyncDispose](),
      };
    },
  };
}
