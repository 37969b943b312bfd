import { openAsBlob, statSync } from 'node:fs';
import { PeerAiError } from '@peerai/core-protocol';

/** A file of the user's, read as it is sent. Throws USAGE. */
export async function openFile(path: string): Promise<Blob> {
  try {
    if (!statSync(path).isFile()) throw new TypeError('it is no file');
    return await openAsBlob(path);
  } catch (cause) {
    throw new PeerAiError('USAGE', `this file cannot be read: ${(cause as Error).message}`, {}, { cause });
  }
}

/** In the units of 1,024 that limits are made of. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let [size, place] = [bytes, 0];
  for (; size >= 1_024 && place < units.length - 1; place += 1) size /= 1_024;
  return `${place === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[place] ?? ''}`;
}
