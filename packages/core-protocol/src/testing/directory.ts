import { openRecord } from '../identity/record.ts';
import type { CryptoProvider, Directory, PeerId } from '../ports/index.ts';
import type { MemoryNetworks } from './network.ts';

interface Held {
  readonly sequence: number;
  readonly models: readonly string[];
  readonly bytes: Uint8Array;
}

/** A directory that everybody on `networks` shares: finds by peer id and by `model:<name>`; only the newest live record of a peer counts. */
export function memoryDirectory(networks: MemoryNetworks, self: PeerId, crypto: CryptoProvider): Directory {
  const records = recordsOf(networks);
  return {
    async announce(bytes) {
      const record = openRecord(crypto, bytes, networks.clock.nowMs());
      if ((records.get(record.peer)?.sequence ?? -1) >= record.sequence) return;
      records.set(record.peer, { sequence: record.sequence, models: record.models, bytes: bytes.slice() });
    },
    async *find(what, signal) {
      for (const [peer, { models, bytes }] of records) {
        if (signal.aborted) return;
        const isMeant = what === peer || models.some((model) => what === `model:${model}`);
        if (isMeant && (peer === self || networks.reaches(self, peer)) && isLive(bytes)) yield bytes.slice();
      }
    },
  };

  function isLive(bytes: Uint8Array): boolean {
    try {
      openRecord(crypto, bytes, networks.clock.nowMs());
      return true;
    } catch {
      return false;
    }
  }
}

const worlds = new WeakMap<MemoryNetworks, Map<PeerId, Held>>();

function recordsOf(networks: MemoryNetworks): Map<PeerId, Held> {
  const known = worlds.get(networks) ?? new Map();
  worlds.set(networks, known);
  return known;
}
