import { PeerAiError, type Random, type Store } from '@peerai/core-protocol';
import { systemRandom } from '../random.ts';

export interface BrowserSeed {
  /** 32 bytes, the private half of an Ed25519 key. */
  readonly seed: Uint8Array;
  readonly created: boolean;
}

const seedBytes = 32;

/**
 * The Ed25519 seed of this tab's peer, kept in the store's room `identity`; made on the first visit. It is as safe as the page's origin:
 * any script of that origin can read it. Throws KEY_FILE_BROKEN when what is kept is no seed.
 */
export async function loadOrCreateBrowserSeed(store: Store, random: Random = systemRandom): Promise<BrowserSeed> {
  const room = store.room('identity');
  const kept = await room.get('seed');
  if (kept?.length === seedBytes) return { seed: kept, created: false };
  if (kept !== undefined)
    throw new PeerAiError('KEY_FILE_BROKEN', 'the kept key is damaged; clear this page’s data to become a new guest');
  const seed = random.bytes(seedBytes);
  await room.commit([room.put('seed', seed)]);
  return { seed, created: true };
}
