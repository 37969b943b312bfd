import type { Protocol } from '@peerai/core-protocol';
import { blobProtocol } from '@peerai/core-protocol/blob';

/** `/peerai/cache/1`: files by their hash, between paired devices. */
export const cacheProtocol: Protocol = { ...blobProtocol, id: '/peerai/cache/1' };
