import type { Random } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** The system's own randomness; `getRandomValues` is there in Node, in tabs and on plain-http LAN pages, where `crypto.subtle` is not. */
export const systemRandom: Random = {
  bytes(count) {
    const result = new Uint8Array(count);
    for (let offset = 0; offset < count; offset += limits.randomChunkBytesMax) {
      crypto.getRandomValues(result.subarray(offset, offset + limits.randomChunkBytesMax));
    }
    return result;
  },
};
