import type { Clock, CryptoProvider, PeerId } from '@peerai/core-protocol';
import { ChunkTable, pcpLimits, type PcpOpened, type PcpPayload, readPcpPayload } from '@peerai/core-protocol/pcp';
import type { PeerFiles } from './files.ts';

export interface ChunkIntakeDeps {
  readonly crypto: CryptoProvider;
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>;
  /** Ends what waits to drop unfinished transfers. */
  readonly stopping: AbortSignal;
  readonly files: Pick<PeerFiles, 'takeWhole' | 'hasTaken'>;
  /** The last chunk is here and others are not: asks an older peer for them, where it can be asked. */
  readonly askAgain: (
    peer: PeerId,
    payload: { readonly transfer_id: string; readonly missing: readonly number[] },
  ) => void;
}
/** What is said of a transfer in the answer to each of its chunks. */
export type ChunkIntake = (opened: Pick<PcpOpened, 'sender' | 'payload'>) => Promise<Readonly<Record<string, unknown>>>;

/**
 * `chunk` messages, as older peers cut a long payload: gathered in memory, then kept as a file under the same limits as every other, once.
 * Throws what `ChunkTable.accept` and `takeWhole` throw.
 */
export function createChunkIntake(
  { crypto, clock, files, askAgain, stopping }: ChunkIntakeDeps,
  table: ChunkTable = new ChunkTable({ crypto }),
): ChunkIntake {
  let isSweeping = false;
  /** Their memory comes back in time, also when no other chunk ever comes. */
  const sweep = async (): Promise<void> => {
    if (isSweeping) return;
    isSweeping = true;
    try {
      for (let atMs = table.nextExpiryMs(); atMs !== undefined; atMs = table.nextExpiryMs()) {
        // A wall clock that was set back must not make it long.
        await clock.sleep(Math.min(Math.max(1, atMs - clock.nowMs()), pcpLimits.transferLifeMs), stopping);
        table.expire(clock.nowMs());
      }
    } finally {
      isSweeping = false;
    }
  };
  return async ({ sender, payload }) => {
    const chunk = readPcpPayload('chunk', payload).payload as PcpPayload<'chunk'>;
    const transfer = chunk.transfer_id.toLowerCase();
    const said = { transfer_id: transfer, total_chunks: chunk.total_chunks };
    // Also over a restart: the table is in memory.
    if (files.hasTaken(sender, transfer)) return { ...said, state: 'repeat', missing: [] };
    const outcome = table.accept(sender, chunk, clock.nowMs());
    if (outcome.state === 'whole') {
      const { bytes, sha256 } = outcome;
      try {
        await files.takeWhole(sender, transfer, `${chunk.original_msg_type ?? 'transfer'}.bin`, bytes, sha256);
      } catch (error) {
        table.forget(sender, transfer);
        throw error;
      }
      return { ...said, state: 'whole', missing: [] };
    }
    sweep().catch(() => undefined);
    const missing = table.missing(sender, transfer);
    const isLast = chunk.chunk_index === chunk.total_chunks - 1;
    if (outcome.state === 'more' && isLast) askAgain(sender, { transfer_id: transfer, missing });
    return { ...said, state: outcome.state, missing: isLast ? missing : [] };
  };
}
