import type { KeyObject } from 'node:crypto';
import { toHex } from '../bytes.ts';

/**
 * Imported keys by their bytes, the least recently used leaves first. Importing costs about 40 µs, half a verification.
 * Bounded, because public keys come from strangers.
 */
export function keyCache(entriesMax: number, load: (bytes: Uint8Array) => KeyObject): (bytes: Uint8Array) => KeyObject {
  const entries = new Map<string, KeyObject>();
  return (bytes) => {
    const name = toHex(bytes);
    const key = entries.get(name) ?? load(bytes);
    entries.delete(name);
    entries.set(name, key);
    const oldest = entries.size > entriesMax ? entries.keys().next().value : undefined;
    if (oldest !== undefined) entries.delete(oldest);
    return key;
  };
}
