export { type DecoderShape, decoderShape, type TextKind, textKindOf } from './decoder-shape.ts';
export { type ForeignEmbedder, loadForeignEmbedder } from './foreign-embedder.ts';
export { createForeignRuntime } from './foreign-runtime.ts';
export { type ForeignWriter, loadForeignWriter, type WriterOptions } from './foreign-writer.ts';
export { type ForeignValue, type OnnxSummary, readOnnxSummary } from './onnx-summary.ts';
