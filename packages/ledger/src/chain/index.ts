/**
 * A group's chain of blocks: add, close a block over what waits, check all of it offline, take it along as one file.
 *
 * @packageDocumentation
 */
export { type ProvenLie, verifyAccused } from './accused.ts';
export { type ChainFile, exportChain, readChain, verifyChainFile } from './file.ts';
export { createGroupChain, type GroupChain, type GroupChainDeps } from './group-chain.ts';
export { importChain } from './import.ts';
export { type ChainVerification, verifyChain } from './verify.ts';
