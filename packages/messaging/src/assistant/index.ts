/**
 * The mail of the first assistants: envelopes under a shared secret, in inbox files or by `POST /inbox`. Node only.
 *
 * @packageDocumentation
 */
export { type AssistantText, type OpenedEnvelope, sealEnvelope } from '../http/envelope.ts';
export { envelopeReader } from './envelopes.ts';
export { answerInbox } from './face.ts';
export { type InboxFiles, isAssistantName, openInboxFiles } from './inbox-files.ts';
export { assistantLimits } from './limits.ts';
