import { type Clock, equalBytes, fromHex, PeerAiError, type Shelf, type Store, toHex } from '@peerai/core-protocol';
import type { KeptWeights } from '@peerai/nn-engine/split';
import { modelLimits } from '../limits.ts';
import { createMutex } from '../../store/mutex.ts';
import { records } from '../../store/records.ts';

interface Row {
  readonly bytes: number;
  readonly usedMs: number;
}
const placeOf = (id: string): string => `stages/${id}`;

/** Weights of stages that others gave this peer, on its shelf: those that were not used for longest make room. Throws what the store throws. */
export async function openKeptWeights(deps: {
  readonly store: Store;
  readonly shelf: Shelf;
  readonly clock: Clock;
}): Promise<KeptWeights> {
  const { shelf, clock } = deps;
  const store = deps.store.room('stages');
  const kept = records<Row>(store, 'weights');
  const rows = new Map<string, Row>();
  for await (const [id, row] of kept.all()) rows.set(id, row);
  const inTurn = createMutex();
  const forget = async (id: string): Promise<void> => {
    rows.delete(id);
    await store.commit([kept.remove(id)]);
    await shelf.remove(placeOf(id));
  };
  const save = async (id: string, row: Row): Promise<void> => {
    rows.set(id, row);
    await store.commit([kept.put(id, row)]);
  };
  const total = (): number => [...rows.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    get: (sha256) =>
      inTurn(async () => {
        const id = toHex(sha256);
        const row = rows.get(id);
        if (row === undefined) return undefined;
        const found = await shelf.sha256(placeOf(id)).catch(() => undefined);
        // Cut by a crash, or changed on disk: it is fetched again.
        if (found === undefined || !equalBytes(found, fromHex(id))) {
          await forget(id);
          return undefined;
        }
        await save(id, { ...row, usedMs: clock.nowMs() });
        return shelf.read(placeOf(id), 0, row.bytes);
      }),
    admit(bytes) {
      if (bytes > modelLimits.stageKeptBytesMax)
        throw new PeerAiError('LIMIT_EXCEEDED', `a stage of ${bytes} bytes; at most ${modelLimits.stageKeptBytesMax}`, {
          bytes,
          bytesMax: modelLimits.stageKeptBytesMax,
        });
    },
    put: (sha256, bytes) =>
      inTurn(async () => {
        const id = toHex(sha256);
        const oldest = [...rows].toSorted(([, a], [, b]) => a.usedMs - b.usedMs).map(([other]) => other);
        for (const other of oldest) {
          if (total() + bytes.length <= modelLimits.stageKeptBytesMax && rows.size < modelLimits.stagesKeptMax) break;
          await forget(other);
        }
        // The row first: a file that a crash left without one would never be removed.
        await save(id, { bytes: bytes.length, usedMs: clock.nowMs() });
        await shelf.remove(placeOf(id));
        await shelf.write(placeOf(id), 0, bytes);
      }),
  };
}
