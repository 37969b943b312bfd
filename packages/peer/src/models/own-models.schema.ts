import { z } from 'zod';

/** `onnx`: for any ONNX tool. `gguf`: for llama.cpp and Ollama. `tokenizer`: the `tokenizer.json` that belongs to the ONNX file of a language model. */
export const exportFormatSchema = z.enum(['onnx', 'gguf', 'tokenizer']);
export type ExportFormat = z.output<typeof exportFormatSchema>;
/** Query of `GET /models/:name/export`. */
export const exportQuestionSchema = z.strictObject({ format: exportFormatSchema.default('onnx') });
