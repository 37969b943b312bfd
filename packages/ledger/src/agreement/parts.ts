/**
 * Agreement taken apart, for who runs a member in another world: the simulator.
 *
 * @packageDocumentation
 */
export { draftOf, encodeBlock, encodeDraft, type Draft } from './block.ts';
export { certificateOf } from './certificate.ts';
export { signEntry, encodeChainEntry } from './entry.ts';
export { loadState } from './load.ts';
export { createMachine } from './machine.ts';
export { decodeMessage, encodeMessage } from './message.ts';
export { type ChainPlace, firstPlace } from './place.ts';
export { blockKey } from './rows.ts';
export { type Rules, simplexRules } from './rules.ts';
export { type AgreementState, type Times } from './state.ts';
export { decodeStatement, encodeStatement, isSigned, noBlock, signStatement } from './statement.ts';
