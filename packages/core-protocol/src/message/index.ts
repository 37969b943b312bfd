export type { SecureMessage } from './message.ts';
export { type ReplaySnapshot, ReplayWindow } from './replay.ts';
export { type MessageDraft, type MessageForm, type MessageKey, openMessage, sealMessage } from './seal.ts';
export { readStrictJson } from './strict-json.ts';
