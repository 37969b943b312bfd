import type { ModelRunner } from '@peerai/peer';

const engine = async () => await import('@peerai/nn-engine/node');

/** ONNX files, each run by a process of its own with limits; what reads and starts them is loaded at the first one. */
export const modelRunner: ModelRunner = {
  read: async (bytes) => {
    const { readOnnxSummary, textKindOf } = await engine();
    const summary = readOnnxSummary(bytes);
    const { producer, nodes, operators, inputs, outputs } = summary;
    const texts = textKindOf(summary);
    return {
      producer,
      nodes,
      operators: [...operators],
      inputs: inputs.map(copy),
      outputs: outputs.map(copy),
      ...(texts && { texts }),
    };
  },
  loadEmbedder: async (bytes, files, options) => (await engine()).loadForeignEmbedder(bytes, files, options),
  loadWriter: async (bytes, files, options) => (await engine()).loadForeignWriter(bytes, files, options),
  load: async (bytes, options) => (await engine()).createForeignRuntime().load(bytes, options),
};

const copy = <One extends { readonly shape: readonly unknown[] }>(value: One) => ({
  ...value,
  shape: [...value.shape] as One['shape'][number][],
});
