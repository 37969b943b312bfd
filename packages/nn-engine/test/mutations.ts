import { threadMs } from '@peerai/config/thread-time';
import { PeerAiError, type Random } from '@peerai/core-protocol';
import { mutated } from '@peerai/core-protocol/testing';
import { expect } from 'vitest';

/** Ten thousand mutations of what `decode` takes are read or refused with a code, none slowly. Gives how many were refused. */
export function refusedMutations(valid: Uint8Array, random: Random, decode: (bytes: Uint8Array) => unknown): number {
  let [refused, slowestMs] = [0, 0];
  for (let index = 0; index < 10_000; index += 1) {
    const input = mutated(valid, random);
    const startMs = threadMs();
    try {
      decode(input);
    } catch (error) {
      expect(error).toBeInstanceOf(PeerAiError);
      refused += 1;
    }
    slowestMs = Math.max(slowestMs, threadMs() - startMs);
  }
  // Five times what is asked on a quiet machine.
  expect(slowestMs).toBeLessThan(250);
  return refused;
}
