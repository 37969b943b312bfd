export { createForeignRuntime, type ForeignEmbedder, loadForeignEmbedder } from './foreign-runtime.ts';
export { type ForeignValue, type OnnxSummary, readOnnxSummary } from './onnx-summary.ts';
