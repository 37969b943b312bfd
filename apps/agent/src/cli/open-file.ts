import { openAsBlob, statSync } from 'node:fs';
import { PeerAiError } from '@peerai/core-protocol';

/** A file of the user's, read as it is sent. Throws USAGE. */
export async function openFile(path: string): Promise<Blob> {
  try {
    if (!statSync(path).isFile()) throw new PeerAiError('EISDIR', 'it is no file');
    return await openAsBlob(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

const whyUnreadable: Readonly<Record<string, string>> = {
  ENOENT: 'there is none of that name',
  ENOTDIR: 'there is none of that name',
  EISDIR: 'it is no file',
  EACCES: 'its rights do not let you',
};

/** USAGE in words, for what the system says of a file of the user's. */
export function unreadable(path: string, cause: unknown): PeerAiError {
  const { code, message } = cause as { readonly code?: string; readonly message: string };
  const why = whyUnreadable[code ?? ''] ?? message;
  return new PeerAiError('USAGE', `the file ${path} cannot be read: ${why}`, {}, { cause });
}

/** In the units of 1,024 that limits are made of. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let [size, place] = [bytes, 0];
  for (; size >= 1_024 && place < units.length - 1; place += 1) size /= 1_024;
  return `${place === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[place] ?? ''}`;
}
