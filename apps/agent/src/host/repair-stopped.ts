import { existsSync } from 'node:fs';
import { PeerAiError } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { type RepairView, repairStopped } from '@peerai/peer';
import { systemClock } from '@peerai/platform';
import type { directories } from '@peerai/platform/node';
import { openHome } from './home.ts';
import { undoList } from './undo.ts';

/**
 * Repairs the log of a home whose agent is off, out of a copy of it. Throws STORE_LOCKED while the agent runs, NOT_FOUND without a home, KEY_*,
 * STORE_*, and what the repair throws.
 */
export async function repairHome(
  folders: ReturnType<typeof directories>,
  source: Parameters<typeof repairStopped>[1],
): Promise<RepairView> {
  if (!existsSync(folders.files.store)) throw new PeerAiError('NOT_FOUND', `there is no peer in ${folders.config}`);
  const undo = undoList();
  try {
    const home = await openHome(folders, undo);
    return await repairStopped({ ...home, clock: systemClock, crypto: nodeCrypto }, source);
  } finally {
    await undo.run();
  }
}
