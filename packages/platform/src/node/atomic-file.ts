import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toHex, utf8 } from '@peerai/core-protocol';
import { systemRandom } from '../random.ts';

/**
 * Writes a private file (0600, its folder 0700 when it is made) so that a reader or a crash meets the old content or the new, never half:
 * a temporary neighbour, fsync, then a new name.
 *
 * @param mode - `replace` takes the place of what is there; `create` gives false when something is there already.
 */
export async function writePrivateFile(path: string, text: string, mode: 'create' | 'replace'): Promise<boolean> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${toHex(systemRandom.bytes(6))}.tmp`;
  try {
    await withFile(draft, 'wx', async (file) => {
      await file.writeFile(utf8(text));
      await file.sync();
    });
    if (mode === 'replace') await rename(draft, path);
    else if (!(await claim(draft, path))) return false;
    await syncFolder(folder);
    return true;
  } finally {
    await rm(draft, { force: true });
  }
}

/** A hard link takes a free name only; `rename` would take any. */
async function claim(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A new name in a folder, or one that went, is on the disk then. */
export const syncFolder = (folder: string): Promise<void> =>
  withFile(folder, 'r', async (handle) => handle.sync()).catch(ignoreFolderSync);

/** A file of its owner's, closed again whatever happens. */
export async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags, 0o600);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Windows cannot open a folder; the rename is safe there without. */
function ignoreFolderSync(error: unknown): void {
  if (process.platform !== 'win32') throw error;
}
