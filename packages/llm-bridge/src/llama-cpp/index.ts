/**
 * A GGUF file in this process, through node-llama-cpp. That package is an optional peer (its prebuilt binaries weigh hundreds of megabytes);
 * without it this engine throws ENGINE_MISSING.
 *
 * @packageDocumentation
 */
export type { LlamaBinding } from './binding.ts';
export { type LlamaCppDeps, llamaCppEngine, type LlamaCppOptions } from './engine.ts';
