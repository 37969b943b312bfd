import type { Random } from '../ports/index.ts';

/** Cut short, replaced, one byte longer, or one byte changed. */
export function mutated(valid: Uint8Array, random: Random): Uint8Array {
  const [high = 0, low = 0, mask = 0, kind = 0] = random.bytes(4);
  const bytes = valid.slice();
  const place = bytes.length === 0 ? 0 : ((high << 8) | low) % bytes.length;
  if (kind % 4 === 0) return bytes.slice(0, place);
  if (kind % 4 === 1) return random.bytes(low);
  if (kind % 4 === 2 || bytes.length === 0)
    return Uint8Array.from([...bytes.subarray(0, place), mask, ...bytes.subarray(place)]);
  bytes[place] = (bytes[place] ?? 0) ^ (mask === 0 ? 1 : mask);
  return bytes;
}
