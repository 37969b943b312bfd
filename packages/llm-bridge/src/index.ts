/**
 * Who answers: engines, sharing a model with peers, and the OpenAI and Ollama faces.
 *
 * @packageDocumentation
 */
export type { LlmErrorCode } from './errors.ts';
export { type Engine, findModel, sameModelName } from './engines/engine.ts';
export { isComputedHere } from './engines/here.ts';
export { echoSlowTokenMs, scriptedEngine, scriptedModel } from './engines/scripted.ts';
export type { Fetch, HttpEngineDeps } from './engines/http.ts';
export { ollamaEngine } from './engines/ollama.ts';
export { openAiCompatibleEngine, type OpenAiCompatibleOptions } from './engines/openai-compatible.ts';
export { type Finding, probeEngines, probeUrls } from './engines/probe.ts';
export { limits as llmLimits } from './limits.ts';
export * from './share/index.ts';
export * from './api/index.ts';
export * from './route/index.ts';
export * from './llama-1/index.ts';
