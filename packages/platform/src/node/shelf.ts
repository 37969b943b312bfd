import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PeerAiError, type Shelf, utf8 } from '@peerai/core-protocol';
import { syncFolder, withFile } from './atomic-file.ts';

/** One part of a name, UTF-8 bytes: what file systems take. */
const partBytesMax = 255;

/** Files below one folder, which is made at the first write, for its owner alone. */
export function openShelf(folder: string): Shelf {
  const pathOf = (name: string): string => join(folder, ...partsOf(name));
  return {
    async write(name, offset, bytes) {
      const path = pathOf(name);
      const put = async (file: FileHandle): Promise<void> => {
        for (let done = 0; done < bytes.length;) {
          done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
        }
        await file.datasync();
      };
      try {
        await withFile(path, 'r+', put).catch(async (error: unknown) => {
          if (codeOf(error) !== 'ENOENT') throw error;
          await mkdir(dirname(path), { recursive: true, mode: 0o700 });
          await withFile(path, 'a', async (file) => file.sync());
          await withFile(path, 'r+', put);
          await syncFolder(dirname(path));
        });
      } catch (error) {
        throw ourError(error);
      }
    },
    async read(name, offset, count) {
      const path = pathOf(name);
      try {
        return await withFile(path, 'r', (file) => readAt(file, offset, count));
      } catch (error) {
        throw ourError(error);
      }
    },
    async sha256(name) {
      const hash = createHash('sha256');
      try {
        for await (const piece of createReadStream(pathOf(name))) hash.update(piece as Uint8Array);
      } catch (error) {
        throw ourError(error);
      }
      return new Uint8Array(hash.digest());
    },
    async move(from, to) {
      const [here, there] = [pathOf(from), pathOf(to)];
      await mkdir(dirname(there), { recursive: true, mode: 0o700 });
      try {
        await rename(here, there);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return;
        throw ourError(error);
      }
      await syncFolder(dirname(there));
    },
    remove: (name) => rm(pathOf(name), { force: true }),
    async list(name) {
      const found = await readdir(pathOf(name), { withFileTypes: true }).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return [];
        throw error;
      });
      return found.filter((one) => one.isFile()).map((one) => one.name);
    },
    path: pathOf,
  };
}

async function readAt(file: FileHandle, offset: number, count: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(count);
  let done = 0;
  for (let got = 1; got > 0 && done < count; done += got) {
    got = (await file.read(buffer, done, count - done, offset + done)).bytesRead;
  }
  return buffer.subarray(0, done);
}

/** Throws INVALID_FORMAT: no name leads out of the folder. */
function partsOf(name: string): readonly string[] {
  const parts = name.split('/');
  const isGood = (part: string): boolean =>
    part !== '' && part !== '.' && part !== '..' && !/[\0\\]/u.test(part) && utf8(part).length <= partBytesMax;
  if (!parts.every(isGood)) throw new PeerAiError('INVALID_FORMAT', 'this is no name of a file');
  return parts;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

function ourError(cause: unknown): unknown {
  const code = codeOf(cause);
  if (code === 'ENOENT') return new PeerAiError('NOT_FOUND', 'there is no such file', {}, { cause });
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new PeerAiError('STORE_FULL', 'no space left for this file', {}, { cause });
  return cause;
}
