import { type CryptoProvider, PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import { openCheckpoint, type OwnLedger } from '@peerai/ledger';
import type { PeerErrorCode } from '../errors.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';

export interface LogGuardDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly ledger: Pick<OwnLedger, 'origin' | 'size' | 'hold'>;
}
/** Keeps a log that others have seen longer from being added to: whoever goes on from an old copy of it signs two histories. */
export interface LogGuard {
  /** A checkpoint that somebody shows. One of our own signature over more entries than are here stops appending, also after a restart; any other says nothing. True where it is news. */
  saw(note: string, shownBy: PeerId): Promise<boolean>;
  /** After a repair: appends are let in where nothing is missing any more. */
  review(): Promise<void>;
  /** The owner goes on without what others have seen. Throws NOT_FOUND where nothing stands against adding. */
  goOn(): Promise<void>;
}
/** The longest head of ours that was shown while less was here: `seen`, and `let-go` after the owner’s word. */
interface Row {
  readonly note: string;
  readonly shownBy: PeerId;
}

/** Reads what is known from before. Throws what the store throws. */
export async function openLogGuard(deps: LogGuardDeps): Promise<LogGuard> {
  const { crypto, ledger } = deps;
  const room = deps.store.room('log-guard');
  const rows = records<Row>(room, ledger.origin);
  const inTurn = createMutex();
  const sizeOf = (row: Row | undefined): bigint => (row === undefined ? 0n : openCheckpoint(crypto, row.note).size);
  const review = async (): Promise<void> => {
    const [seen, letGo] = [await rows.get('seen'), await rows.get('let-go')];
    const isBehind = seen !== undefined && sizeOf(seen) > ledger.size && sizeOf(seen) > sizeOf(letGo);
    ledger.hold(isBehind ? behind(seen.shownBy, sizeOf(seen), ledger.size) : undefined);
  };
  await review();
  return {
    review: () => inTurn(review),
    saw: (note, shownBy) =>
      inTurn(async () => {
        const head = openCheckpoint(crypto, note);
        if (head.origin !== ledger.origin || head.size <= ledger.size) return false;
        const [seen, letGo] = [await rows.get('seen'), await rows.get('let-go')];
        if (head.size <= sizeOf(seen) || head.size <= sizeOf(letGo)) return false;
        await room.commit([rows.put('seen', { note, shownBy })]);
        await review();
        return true;
      }),
    goOn: () =>
      inTurn(async () => {
        const seen = await rows.get('seen');
        if (seen === undefined || sizeOf(seen) <= ledger.size)
          throw new PeerAiError('NOT_FOUND', 'nobody has shown more of this log than is here');
        await room.commit([rows.put('let-go', seen)]);
        await review();
      }),
  };
}

const behind = (shownBy: PeerId, seen: bigint, size: bigint): PeerAiError =>
  new PeerAiError<PeerErrorCode>(
    'LEDGER_BEHIND',
    `${shownBy} has a head of this log over ${seen} entries with this peer’s own signature, and ${size} are here: an older copy was put back. Nothing is added to it`,
    { shownBy, seen: Number(seen), size: Number(size) },
  );
