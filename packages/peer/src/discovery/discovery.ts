import { openRecord, PeerAiError, parsePeerId, type PeerId, type PeerRecord } from '@peerai/core-protocol';
import type { Models } from '../models/models.ts';
import type { Devices } from '../pairing/devices.ts';
import type { PeerSettings, PeerWorld } from '../peer-world.ts';
import { keepAnnounced } from './announcer.ts';
import type { CrawlView, FindRequest, FoundPeer, FoundView } from './discovery.schema.ts';

export interface DiscoveryParts {
  readonly devices: Pick<Devices, 'get' | 'isBlocked'>;
  readonly models: Pick<Models, 'exposedCards'>;
  readonly addresses: () => readonly string[];
}

/** Finding peers nobody was paired with, and being found. */
export interface Discovery {
  /** Who says that it serves a model, or where a peer is. Throws UNSUPPORTED, KEY_REFUSED (no peer id). */
  find(request: FindRequest, signal: AbortSignal): Promise<FoundView>;
  /** Peers of the whole network, as far as a bounded walk gets. Throws UNSUPPORTED, LIMIT_REACHED (one is under way). */
  crawl(signal: AbortSignal): Promise<CrawlView>;
  /** Announces until the signal. */
  start(signal: AbortSignal): void;
}

export function createDiscovery(
  world: Pick<PeerWorld, 'identity' | 'clock' | 'crypto' | 'store' | 'logger' | 'directory' | 'crawler'>,
  settings: Pick<PeerSettings, 'name' | 'version' | 'tells'>,
  { devices, models, addresses }: DiscoveryParts,
): Discovery {
  const { clock, crypto, directory, crawler, identity } = world;
  const isPaired = (peer: PeerId): boolean => devices.get(peer) !== undefined;
  const open = (bytes: Uint8Array): PeerRecord | undefined => {
    try {
      return openRecord(crypto, bytes, clock.nowMs());
    } catch {
      return undefined;
    }
  };
  return {
    async find({ model, peer }, signal) {
      if (directory === undefined) throw new PeerAiError('UNSUPPORTED', 'this peer looks for nobody');
      const what = model === undefined ? parsePeerId(peer ?? '') : (`model:${model}` as const);
      const found = new Map<PeerId, PeerRecord>();
      for await (const bytes of directory.find(what, signal)) {
        // Who passes a record on is not believed, a directory neither.
        const record = open(bytes);
        if (record === undefined || record.peer === identity.peer || devices.isBlocked(record.peer)) continue;
        const says = model === undefined ? record.peer === what : record.models.includes(model);
        const isNewer = (found.get(record.peer)?.sequence ?? -1) < record.sequence;
        if (says && isNewer) found.set(record.peer, record);
      }
      return { v: 1, peers: [...found.values()].map((record) => viewOf(record, isPaired(record.peer))) };
    },
    async crawl(signal) {
      if (crawler === undefined) throw new PeerAiError('UNSUPPORTED', 'this peer looks for nobody');
      const peers: CrawlView['peers'] = [];
      for await (const { peer, addresses, ...rest } of crawler.crawl(signal))
        peers.push({ peerId: peer, addresses: [...addresses], ...rest, paired: isPaired(peer) });
      return { v: 1, peers };
    },
    start(signal) {
      const { name, version, tells = [] } = settings;
      if (directory === undefined || tells.length === 0) return;
      const says = { tells, name, agent: `peerai/${version}`, addresses };
      const exposed = (): readonly string[] => models.exposedCards().map((card) => card.name);
      const store = world.store.room('discovery');
      void keepAnnounced({ ...world, ...says, directory, store, models: exposed }, signal);
    },
  };
}

const viewOf = (record: PeerRecord, paired: boolean): FoundPeer => ({
  peerId: record.peer,
  name: record.name,
  models: [...record.models],
  agent: record.agent,
  addresses: [...record.addresses],
  expiresMs: record.expiresMs,
  paired,
});
