import type { Network } from '@peerai/core-protocol';
import type { BlobSource } from '@peerai/core-protocol/blob';
import { serveStageWeights } from '@peerai/nn-engine/split';

/** Weights of stages that this peer drives, for whoever holds one: several parts give some, and one answers for all. */
export interface GivenWeights extends Disposable {
  /** Until what it returns is disposed. The source itself says to whom. */
  give(source: BlobSource): Disposable;
}

export function openGivenWeights(network: Network): GivenWeights {
  const given = new Set<BlobSource>();
  const serving = serveStageWeights(network, {
    async length(sha256, peer) {
      for (const source of given) {
        const length = await source.length(sha256, peer);
        if (length !== undefined) return length;
      }
      return undefined;
    },
    async read(sha256, offset, count) {
      for (const source of given) {
        const bytes = await source.read(sha256, offset, count);
        if (bytes.length > 0) return bytes;
      }
      return new Uint8Array();
    },
  });
  return {
    give(source) {
      given.add(source);
      return { [Symbol.dispose]: () => void given.delete(source) };
    },
    [Symbol.dispose]: () => serving[Symbol.dispose](),
  };
}
