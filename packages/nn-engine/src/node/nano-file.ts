import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const manifest = createRequire(import.meta.url).resolve('@peerai/nn-engine/package.json');
/** The shipped nano model, found by this package's name, because a program may have joined this file with others. */
export const nanoFileUrl = new URL('./assets/nano.bin', pathToFileURL(manifest));

/** Reads the shipped nano model, for `createNano({ file: readNanoFile, … })`. */
export async function readNanoFile(signal: AbortSignal): Promise<Uint8Array> {
  return await readFile(nanoFileUrl, { signal });
}
