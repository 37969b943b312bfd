/**
 * What a peer writes into its log beside the ledger's own kinds, and an entry of any kind in words: for who has a log's bytes and no running peer.
 *
 * @packageDocumentation
 */
export { type CapsuleStatement, capsuleEntry } from './capsule-statement.ts';
export { checkpointEntry } from './checkpoint-statement.ts';
export { type DecisionStatement, decisionEntry } from './decision-statement.ts';
export { entryView } from './entry-view.ts';
export { keptBeforeEntry } from './kept-before-statement.ts';
export { keyEntry } from './key-statement.ts';
export { messageEntry, type MessageStatement } from './message-statement.ts';
