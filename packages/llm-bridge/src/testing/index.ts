/**
 * For tests: what every LanguageModel keeps, an Admission that remembers, and servers that speak as engines do (needs vitest and Node).
 *
 * @packageDocumentation
 */
export { type Booked, type RecordingAdmission, recordingAdmission, signReceipt } from './admission.ts';
export { languageModelContract, type ModelUnderTest } from './contract.ts';
export { type TextToRow, type WireEmbedder, wireEmbedder } from './wire-embedder.ts';
export { type Behaviour, type Dialect, startWireEngine } from './wire-engines.ts';
export { type Asked, type WireServer } from './wire-server.ts';
