/**
 * What was trained here, as files that others read: ONNX with the weights inside, and GGUF for llama.cpp and Ollama.
 *
 * @packageDocumentation
 */
export { byteModelGguf } from './byte-model-gguf.ts';
export { clusterFromOnnx, clusterModes, clusterOnnx } from './cluster-onnx.ts';
export {
  byteTokens,
  type GgufOptions,
  type GgufToken,
  type GgufWeights,
  languageModelGguf,
} from './language-model-gguf.ts';
export { languageModelOnnx } from './language-model-onnx.ts';
export { nanoDecoderGguf, nanoGguf } from './nano-gguf.ts';
export { exportOnnx } from './onnx.ts';
