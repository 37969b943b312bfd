import { type Logger, PeerAiError, type Store } from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import type { CapsuleCard } from '@peerai/nn-engine/memory';
import { capsuleEntry } from '../ledger/capsule-statement.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';

export interface StatedDeps {
  readonly store: Store;
  readonly logger: Logger;
  readonly ledger: Pick<OwnLedger, 'append'>;
}
/** Entries for capsules that others may have: each is in the log once, when it is written here or first given away. */
export interface StatedCapsules {
  /**
   * Says in the log what it does not say yet; personal ones are passed over. A log that can't be written to is noted and keeps nobody from their capsules:
   * it is said the next time.
   */
  say(card: CapsuleCard): Promise<void>;
}

/** @param cardOf - of a capsule that is here: a parent is only named when it is known to be no personal one. */
export function createStated(
  { store, logger, ledger }: StatedDeps,
  cardOf: (id: string) => CapsuleCard | undefined,
): StatedCapsules {
  const said = records<true>(store.room('capsules-stated'), 'said');
  const inTurn = createMutex();
  const isShared = (id: string): boolean => (cardOf(id)?.level ?? 'personal') !== 'personal';
  return {
    say: (card) =>
      inTurn(async () => {
        const { id, author, level, dataBytes, relations } = card;
        if (level === 'personal') return;
        try {
          if ((await said.get(id)) !== undefined) return;
          const parents = relations
            .filter(({ kind, capsule }) => kind !== 'related' && isShared(capsule))
            .map(({ capsule }) => capsule);
          // The mark goes with the entry: a kill between the two can't make it twice or never.
          await ledger.append(
            [capsuleEntry({ capsule: id, author, bytes: dataBytes, level, parents })],
            [said.put(id, true)],
          );
        } catch (error) {
          logger.error('capsule-not-stated', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
        }
      }),
  };
}
