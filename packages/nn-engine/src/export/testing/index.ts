/**
 * For tests of exported files: a reader of GGUF of our own, and llama.cpp where it is installed.
 *
 * @packageDocumentation
 */
export { findLlamaCpp, type LlamaCpp, llamaCppMissing, llamaCppVariable, openLlamaCpp } from './llama-cpp.ts';
export { distance, logProbabilities, onnxLogProbabilities } from './log-probabilities.ts';
export { llamaScores, readGguf } from './read-gguf.ts';
