import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * A file of at most so many bytes; undefined where there is none, where it is longer, or no plain file: others may write into the
 * same folder, so links are not followed and nothing is waited for.
 */
export async function readSmallFile(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { size, isPlain } = await file.stat().then((one) => ({ size: one.size, isPlain: one.isFile() }));
    if (!isPlain || size > bytesMax) return undefined;
    const bytes = new Uint8Array(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/**
 * Whole or not at all: written beside, then renamed.
 *
 * @param mode - for this user alone unless it says otherwise; the process's umask does not apply.
 */
export async function putSmallFile(path: string, text: string, mode = 0o600): Promise<void> {
  const aside = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(text);
      if (mode !== 0o600) await file.chmod(mode);
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await removeFile(aside);
    throw error;
  }
}

/** Never throws: it may be gone already. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}
