/**
 * For tests: what every LanguageModel keeps, and an Admission that remembers (needs vitest).
 *
 * @packageDocumentation
 */
export { type Booked, type RecordingAdmission, recordingAdmission, signReceipt } from './admission.ts';
export { languageModelContract, type ModelUnderTest } from './contract.ts';
