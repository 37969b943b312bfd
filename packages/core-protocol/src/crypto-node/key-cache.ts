import type { KeyObject } from 'node:crypto';
import { byteName, fromByteName } from '../bytes.ts';
import { keepRecent } from '../recent.ts';

/** Imported keys by their bytes, the least recently used leaves first. Importing costs about 40 µs, half a verification. */
export function keyCache(entriesMax: number, load: (bytes: Uint8Array) => KeyObject): (bytes: Uint8Array) => KeyObject {
  const keys = keepRecent(entriesMax, (name) => load(fromByteName(name)));
  return (bytes) => keys(byteName(bytes));
}
