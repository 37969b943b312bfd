import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { Inner } from './inner.ts';
import { memoryLimits as limits } from './limits.ts';

/** The room that is left while steps are put together. */
export class Room {
  readonly #inner: Inner;
  readonly #added = { all: { capsules: 0, bytes: 0 }, foreign: { capsules: 0, bytes: 0 } };

  constructor(inner: Inner) {
    this.#inner = inner;
  }

  /** Throws MEMORY_FULL. */
  take(mine: boolean, rowBytes: number): void {
    const { holdings, quota } = this.#inner;
    for (const whose of mine ? (['all'] as const) : (['all', 'foreign'] as const)) {
      const share = whose === 'foreign' ? limits.foreignShareMax : 1;
      const [held, added] = [holdings[whose], this.#added[whose]];
      const [capsulesMax, bytesMax] = [Math.floor(quota.capsulesMax * share), Math.floor(quota.bytesMax * share)];
      if (held.capsules + added.capsules + 1 > capsulesMax || held.bytes + added.bytes + rowBytes > bytesMax)
        throw new PeerAiError<NnErrorCode>('MEMORY_FULL', 'The memory is full; forget or consolidate first.', {
          ofOtherPeers: whose === 'foreign',
          capsulesMax,
          bytesMax,
        });
    }
    for (const whose of mine ? (['all'] as const) : (['all', 'foreign'] as const)) {
      this.#added[whose].capsules += 1;
      this.#added[whose].bytes += rowBytes;
    }
  }
}
