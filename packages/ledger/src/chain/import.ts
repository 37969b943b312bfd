import { type Change, type CryptoProvider, PeerAiError, type Store } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { loadState } from '../agreement/load.ts';
import { openNextBlock } from '../agreement/next-block.ts';
import { encodePlace, firstPlace } from '../agreement/place.ts';
import { blockKey, placeKey } from '../agreement/rows.ts';
import { simplexRules } from '../agreement/rules.ts';
import type { Genesis } from '../agreement/types.ts';
import { readChain } from './file.ts';

/** Blocks that share one commit. */
const commitBlocks = 64;

/**
 * Takes the blocks of a chain file that are newer than what the store holds, each checked as `verifyChain` does: how a late member, or one that only
 * reads, needs no other to be there. The store is the room of `createAgreement`, which must not run on it meanwhile. Resolves with the newest height.
 * What was good before the first bad block stays. Throws what `openNextBlock` and `readChain` throw, BLOCK_WRONG for another group's file.
 */
export async function importChain(
  { store, crypto }: { readonly store: Store; readonly crypto: CryptoProvider },
  genesis: Genesis,
  file: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<number> {
  const first = firstPlace(crypto, genesis);
  const { genesis: theirs, blocks } = await readChain(file);
  if (firstPlace(crypto, theirs).group.some((byte, at) => byte !== first.group[at]))
    throw new PeerAiError<LedgerErrorCode>('BLOCK_WRONG', 'this file is of another group', { reason: 'another group' });
  const state = await loadState(store, { crypto }, first);
  let { place } = state;
  let changes: Change[] = [...state.round.rows].map((key) => store.put(key));
  const begun = changes.length;
  const commit = async (): Promise<void> => {
    if (changes.length <= begun && place.height === state.place.height) return;
    await store.commit([...changes, store.put(placeKey, encodePlace(place))]);
    changes = [];
  };
  let height = 0;
  try {
    for await (const bytes of blocks) {
      height += 1;
      if (height <= state.place.height) continue;
      place = openNextBlock(crypto, simplexRules, place, bytes).next;
      changes.push(store.put(blockKey(place.height), bytes));
      if (changes.length >= commitBlocks) await commit();
    }
  } finally {
    await commit();
  }
  return place.height;
}
