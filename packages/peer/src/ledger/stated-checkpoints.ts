import type { Clock, PeerId, Store } from '@peerai/core-protocol';
import type { OwnLedger, TreeHead } from '@peerai/ledger';
import type { Copies } from '@peerai/ledger/sync';
import type { Witness } from '@peerai/ledger/witness';
import { records } from '../store/records.ts';
import { checkpointEntry, checkpointKind } from './checkpoint-statement.ts';
import { booksLimits as limits } from './limits.ts';

export interface StatedCheckpointsDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ledger: Pick<OwnLedger, 'append'>;
  readonly witness: Pick<Witness, 'heads'>;
  readonly copies: Pick<Copies, 'entries' | 'view'>;
}
interface Stated {
  readonly size: number;
  readonly atMs: number;
}

/**
 * Says in the log which heads of others this peer stands for: seldom, and not for what others said of heads alone, or two peers at rest would
 * answer each other for ever.
 *
 * @returns what looks, and says in one commit what there is to say.
 */
export function createStatedCheckpoints(deps: StatedCheckpointsDeps): () => Promise<void> {
  const { clock, ledger, witness, copies } = deps;
  const stated = records<Stated>(deps.store.room('checkpoints-stated'), 'origin');
  const isWorth = async ({ origin, size }: TreeHead, before: number): Promise<boolean> => {
    if (Number(size) - before >= limits.checkpointGrowthMin) return true;
    const copied = (await copies.view(origin))?.size ?? 0n;
    if (copied < size) return false;
    for await (const { entry } of copies.entries(origin, BigInt(before), size))
      if (entry.kind !== checkpointKind) return true;
    return false;
  };
  return async () => {
    const nowMs = clock.nowMs();
    const heads: TreeHead[] = [];
    const marks: { readonly origin: PeerId; readonly mark: Stated }[] = [];
    for (const head of await witness.heads()) {
      const last = await stated.get(head.origin);
      // A wall clock that was set back says it once more, and goes on from there.
      const isSoon = last !== undefined && Math.abs(nowMs - last.atMs) < limits.checkpointStatedEveryMs;
      if (isSoon || !(await isWorth(head, last?.size ?? 0))) continue;
      heads.push(head);
      marks.push({ origin: head.origin, mark: { size: Number(head.size), atMs: nowMs } });
    }
    if (heads.length === 0) return;
    await ledger.append(
      heads.map(checkpointEntry),
      marks.map(({ origin, mark }) => stated.put(origin, mark)),
    );
  };
}
