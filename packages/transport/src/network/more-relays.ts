import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { type Logger, parsePeerId, type PeerId } from '@peerai/core-protocol';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';

export interface MoreRelaysDeps {
  readonly logger: Logger;
  /** Relays of the node's own options: they are kept anyway, and count. */
  readonly configured: readonly string[];
  /** Keeps a connection and a reservation there until the signal; resolves then, and rejects never. */
  readonly keep: (address: string, signal: AbortSignal) => Promise<void>;
  /** Ends the place on a relay that is named no more, and the connections to it. */
  readonly letGo: (relay: PeerId) => Promise<void>;
}
/** Why an address of the list is not kept. */
export type RelayLeftOut = 'NO_RELAY_ADDRESS' | 'SAME_RELAY' | 'TOO_MANY_RELAYS';
/** What became of one address. */
export interface RelayUse {
  readonly address: string;
  readonly leftOut?: RelayLeftOut;
}
export interface MoreRelays {
  /** @returns what became of each address, in their order. */
  use(addresses: readonly string[], stopped: AbortSignal): readonly RelayUse[];
  /** Those that are kept now, in their order. */
  addresses(): readonly string[];
  has(relay: PeerId): boolean;
}
interface Kept {
  readonly address: string;
  readonly ending: AbortController;
}

/**
 * Relays beside the configured ones, for as long as they are named. Of the addresses it keeps those that are multiaddrs
 * ending in `/p2p/<id>`, one a relay, in their order, until there are `relaysMax` with the configured ones.
 */
export function createMoreRelays({ logger, configured, keep, letGo }: MoreRelaysDeps): MoreRelays {
  const kept = new Map<PeerId, Kept>();
  const own = configured.slice(0, limits.relaysMax);
  const ownPeers = new Set(own.map(relayOf));
  let named: readonly string[] = [];
  const sorted = (addresses: readonly string[]) => {
    const found = new Map<PeerId, string>();
    const uses = addresses.map((address): RelayUse => {
      const relay = relayOf(address);
      if (relay === undefined) {
        logger.warn('relay-left-out', { address, reason: 'no multiaddr that ends in /p2p/<id>' });
        return { address, leftOut: 'NO_RELAY_ADDRESS' };
      }
      if (ownPeers.has(relay) || found.has(relay)) return { address, leftOut: 'SAME_RELAY' };
      if (own.length + found.size < limits.relaysMax) {
        found.set(relay, address);
        return { address };
      }
      logger.warn('relay-left-out', { address, reason: `a node keeps ${limits.relaysMax} relays` });
      return { address, leftOut: 'TOO_MANY_RELAYS' };
    });
    return { found, uses };
  };
  const begin = async (relay: PeerId, address: string, stopped: AbortSignal): Promise<void> => {
    const ending = new AbortController();
    kept.set(relay, { address, ending });
    await keep(address, AbortSignal.any([stopped, ending.signal]));
    // It may have been named again while the last look at it ended.
    if (stopped.aborted || kept.has(relay)) return;
    await letGo(relay).catch(() => undefined);
  };
  return {
    addresses: () => named,
    has: (relay) => kept.has(relay),
    use(addresses, stopped) {
      const { found, uses } = sorted(addresses);
      for (const [relay, { address, ending }] of kept) {
        if (found.get(relay) === address) continue;
        kept.delete(relay);
        ending.abort();
      }
      for (const [relay, address] of found) if (!kept.has(relay)) void begin(relay, address, stopped);
      named = [...found.values()];
      return uses;
    },
  };
}

/** The tag that libp2p gives a relay with a place, and dials it again for. */
const keepAliveTag = 'keep-alive-circuit-relay';

/** Without the tag libp2p does not dial it again; without a connection nobody is led here, though the relay counts the place until its time is over. */
export async function leaveRelay(
  { peerStore }: Components,
  relay: PeerId,
  disconnect: (relay: PeerId) => Promise<void>,
): Promise<void> {
  await peerStore.merge(peerIdFromString(relay), { tags: { [keepAliveTag]: undefined } });
  await disconnect(relay);
}

/** Undefined for anything but the multiaddr of a relay with its key. */
function relayOf(address: string): PeerId | undefined {
  try {
    const parts = multiaddr(address).getComponents();
    const last = parts.at(-1);
    const isOne = parts.filter(({ name }) => name === 'p2p').length === 1;
    if (last?.name !== 'p2p' || last.value === undefined || !isOne || parts.length < 2) return undefined;
    return parsePeerId(last.value);
  } catch {
    return undefined;
  }
}
