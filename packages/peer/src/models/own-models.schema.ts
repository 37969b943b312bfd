import { z } from 'zod';

/** `onnx`: for any ONNX tool. `gguf`: for llama.cpp and Ollama; `gguf-q8` the same in eight bits a weight. `tokenizer`: the `tokenizer.json` that belongs to the ONNX file of a language model. */
export const exportFormatSchema = z.enum(['onnx', 'gguf', 'gguf-q8', 'tokenizer']);
export type ExportFormat = z.output<typeof exportFormatSchema>;
/** Query of `GET /models/:name/export`. */
export const exportQuestionSchema = z.strictObject({ format: exportFormatSchema.default('onnx') });
