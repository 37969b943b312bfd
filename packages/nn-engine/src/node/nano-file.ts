import { readFile } from 'node:fs/promises';

/** The shipped nano model, `assets/nano.bin` of this package; the same place from source and from dist. */
export const nanoFileUrl = new URL('../../assets/nano.bin', import.meta.url);

/** Reads the shipped nano model, for `createNano({ file: readNanoFile, … })`. */
export async function readNanoFile(signal: AbortSignal): Promise<Uint8Array> {
  return await readFile(nanoFileUrl, { signal });
}
