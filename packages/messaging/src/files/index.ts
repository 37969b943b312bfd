/**
 * Files between peers: in pieces, in any order, over links or HTTP, over restarts of either side, once.
 *
 * @packageDocumentation
 */
export type { FileRecord, FileState } from './book.ts';
export { type ChunkIntake, createChunkIntake } from './chunks.ts';
export { openPeerFiles, type PeerFiles, type PeerFilesDeps } from './files.ts';
export type { FileHttp } from './ways.ts';
