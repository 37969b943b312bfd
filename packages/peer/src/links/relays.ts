import {
  callMethod,
  type Clock,
  type Logger,
  type Network,
  PeerAiError,
  parsePeerId,
  type PeerId,
  relayInfoMethod,
} from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import type { LinkBook } from './link-book.ts';

export interface RelayState {
  readonly address: string;
  readonly peer: PeerId | undefined;
  readonly state: 'connected' | 'unreachable';
  /** Base of share links that this relay serves. */
  readonly pageUrl: string | undefined;
  /** How others dial it, browsers first. */
  readonly addresses: readonly string[];
}
export interface RelaysDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly links: LinkBook;
  readonly events: EventHub;
  /** Multiaddrs from the configuration. */
  readonly configured: readonly string[];
}

/** The relays this peer was told of: whether they are there, where their page is, how others reach us through them. */
export interface Relays {
  list(): readonly RelayState[];
  ids(): readonly PeerId[];
  /** Multiaddrs under which others reach this peer through relays, without the `/p2p/<self>` end; browsers' first. */
  circuits(): readonly string[];
  pageUrl(): string | undefined;
  /** To be called when the best link of a peer came or went. */
  linkChanged(peer: PeerId, up: boolean, signal: AbortSignal): void;
}

export function createRelays(deps: RelaysDeps): Relays {
  const known = new Map<string, { pageUrl?: string | undefined; addresses: readonly string[] }>();
  const peers = deps.configured.map((address) => [address, relayPeer(address)] as const);
  const stateOf = ([address, peer]: readonly [string, PeerId | undefined]): RelayState => ({
    address,
    peer,
    state: peer !== undefined && deps.links.get(peer) !== undefined ? 'connected' : 'unreachable',
    pageUrl: known.get(address)?.pageUrl,
    addresses: known.get(address)?.addresses ?? [address],
  });
  const learn = async (address: string, peer: PeerId, signal: AbortSignal): Promise<void> => {
    try {
      const { pageUrl, addresses } = await callMethod(
        deps,
        peer,
        relayInfoMethod,
        {},
        { signal, addresses: [address] },
      );
      known.set(address, { pageUrl, addresses: addresses.length > 0 ? addresses : [address] });
    } catch (error) {
      deps.logger.debug('relay-silent', { address, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    }
  };
  const list = (): readonly RelayState[] => peers.map(stateOf);
  return {
    list,
    ids: () => peers.flatMap(([, peer]) => (peer === undefined ? [] : [peer])),
    circuits: () =>
      list()
        .filter(({ state }) => state === 'connected')
        .flatMap(({ addresses }) => addresses.slice(0, 1))
        .map((address) => `${address}/p2p-circuit`),
    pageUrl: () => list().find(({ state, pageUrl }) => state === 'connected' && pageUrl !== undefined)?.pageUrl,
    linkChanged(peer, up, signal) {
      for (const [address, relay] of peers) {
        if (relay !== peer) continue;
        deps.events.emit({ type: 'relay-changed', address, state: up ? 'connected' : 'unreachable' });
        if (up) void learn(address, peer, signal);
      }
    },
  };
}

/** The last `/p2p/<id>` of a relay's address. */
function relayPeer(address: string): PeerId | undefined {
  const text = /\/p2p\/([^/]+)\/?$/.exec(address)?.[1];
  try {
    return text === undefined ? undefined : parsePeerId(text);
  } catch {
    return undefined;
  }
}
