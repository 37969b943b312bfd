/**
 * Heads of a group's chain, signed by t of its n members with one key that none of them has: a note of a few lines that anybody can check.
 *
 * @packageDocumentation
 */
export { foundGroupKey, type FoundKeyDeps, type FoundKeyOptions } from './found-key.ts';
export { verifyChainHead } from './verify.ts';
export { type ChainHeads, type ChainHeadsDeps, openChainHeads } from './heads.ts';
