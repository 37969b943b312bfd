/**
 * Logs of other peers: copies that are taken range by range and proven before they are kept, repair of our own out of one, and logs as plain files (C2SP tlog-tiles).
 *
 * @packageDocumentation
 */
export { type Copies, type CopiesDeps, type CopyView, createCopies } from './copies.ts';
export { copyLimits } from './limits.ts';
export { type Repair, type RepairDeps, repairLog, type RepairSource } from './repair.ts';
export { readTiles, type TileFile, tileFiles, tilePath, type TileReader, verifyTiles } from './tiles.ts';
export { proveUnder, storedPrefix } from './stored.ts';
