import { randomUUID } from 'node:crypto';
import { open, rename, stat } from 'node:fs/promises';
import { PeerAiError } from '../errors.ts';
import type { Clock } from '../ports/index.ts';
import { removeFile } from './small-file.ts';

export interface LockTimes {
  readonly clock: Clock;
  /** A lock as old as this was left by a process that ended, milliseconds. It is held for one reading and one writing. */
  readonly staleMs: number;
  /** Between two looks, milliseconds. */
  readonly pollMs: number;
}

/** A file that exists while it is held (O_EXCL). Waits for its turn, twice as long as a lock can live; one left behind is taken away. Throws LIMIT_REACHED. */
export async function lockFile(path: string, times: LockTimes): Promise<AsyncDisposable> {
  const { clock, staleMs, pollMs } = times;
  const endMs = clock.elapsedMs() + 2 * staleMs;
  while (clock.elapsedMs() < endMs) {
    const file = await open(path, 'wx', 0o600).catch((error: { readonly code?: string }) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (file !== undefined) {
      await file.close();
      return { [Symbol.asyncDispose]: () => removeFile(path) };
    }
    await breakStale(path, times);
    await clock.sleep(pollMs);
  }
  throw new PeerAiError('LIMIT_REACHED', `${path} is held by somebody else`);
}

/** Of several that find it stale one gets to rename it; should it be a new one by then, its holder finds a second writer, whose write is whole too. */
async function breakStale(path: string, { clock, staleMs }: LockTimes): Promise<void> {
  const ageMs = await stat(path).then(
    (one) => clock.nowMs() - one.mtimeMs,
    () => 0,
  );
  if (ageMs < staleMs) return;
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).then(
    () => removeFile(aside),
    () => undefined,
  );
}
