import { PeerAiError } from '../errors.ts';
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

export interface MutationsRead {
  /** How many were read as something, and how many refused with a code. */
  readonly read: number;
  readonly refused: number;
  /** Of the slowest one, by `nowMs`. */
  readonly slowestMs: number;
}
/**
 * Gives a decoder mutations of what it reads. Throws what the decoder throws that is no PeerAiError, or that it throws for `valid` itself.
 *
 * @param options - `rounds`: how many, ten thousand unless said; `nowMs`: a clock of the thread, to find out how long one took.
 */
export function readMutated(
  valid: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  {
    random,
    rounds = 10_000,
    nowMs = () => 0,
  }: { readonly random: Random; readonly rounds?: number; readonly nowMs?: () => number },
): MutationsRead {
  decode(valid);
  let [refused, slowestMs] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    const input = mutated(valid, random);
    const startMs = nowMs();
    try {
      decode(input);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
      refused += 1;
    }
    slowestMs = Math.max(slowestMs, nowMs() - startMs);
  }
  return { read: rounds - refused, refused, slowestMs };
}
