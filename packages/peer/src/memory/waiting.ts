import { PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';

/** A capsule on its way to a peer that has not taken it yet. */
export interface WaitingShare {
  readonly capsule: string;
  readonly peer: PeerId;
  readonly sinceMs: number;
  /** What that peer said when it did not take it; it is asked again when it is back. */
  readonly problem?: string;
}
/** On disk: a peer that is away is given what waits for it when it is back. */
export interface WaitingShares {
  list(): Promise<readonly WaitingShare[]>;
  /** Throws LIMIT_EXCEEDED. */
  put(share: WaitingShare): Promise<void>;
  /** False where none waits. */
  remove(capsule: string, peer: PeerId): Promise<boolean>;
  /** All of one capsule. */
  removeAll(capsule: string): Promise<void>;
}

export function openWaitingShares(store: Store): WaitingShares {
  const room = store.room('memory-copies');
  const rows = records<WaitingShare>(room, 'waiting');
  const serial = createMutex();
  const idOf = ({ capsule, peer }: Pick<WaitingShare, 'capsule' | 'peer'>): string => `${peer}/${capsule}`;
  const list = async (): Promise<readonly WaitingShare[]> => {
    const all: WaitingShare[] = [];
    for await (const [, share] of rows.all()) all.push(share);
    return all;
  };
  return {
    list,
    put: (share) =>
      serial(async () => {
        const others = (await list()).filter((one) => idOf(one) !== idOf(share));
        if (others.length >= limits.memorySharesWaitingMax)
          throw new PeerAiError('LIMIT_EXCEEDED', `${others.length} capsules wait for their peers already`);
        await room.commit([rows.put(idOf(share), share)]);
      }),
    remove: (capsule, peer) =>
      serial(async () => {
        const id = idOf({ capsule, peer });
        if ((await rows.get(id)) === undefined) return false;
        await room.commit([rows.remove(id)]);
        return true;
      }),
    removeAll: (capsule) =>
      serial(async () => {
        const gone = (await list()).filter((one) => one.capsule === capsule);
        if (gone.length > 0) await room.commit(gone.map((one) => rows.remove(idOf(one))));
      }),
  };
}
