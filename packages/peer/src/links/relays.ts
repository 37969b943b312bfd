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
import { limits } from '../limits.ts';
import type { LinkBook } from './link-book.ts';

export interface RelayState {
  readonly address: string;
  readonly peer: PeerId | undefined;
  readonly state: 'connected' | 'unreachable';
  /** The relay keeps a place for this peer: others reach it there. A connection alone leads nobody here. */
  readonly hasPlace: boolean;
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
  /** A relay has just given this peer a place. */
  readonly placed: () => void;
}

/** The relays this peer was told of: whether they are there, where their page is, how others reach us through them. */
export interface Relays {
  list(): readonly RelayState[];
  ids(): readonly PeerId[];
  /** Multiaddrs under which others reach this peer through relays, without the `/p2p/<self>` end; browsers' first. */
  circuits(): readonly string[];
  pageUrl(): string | undefined;
  /**
   * Resolves once every relay can be named in a link, or is not to be waited for: `relaySettleMs` after the start, or after
   * its link came up, it still lacks a place. Rejects never.
   */
  settled(signal: AbortSignal): Promise<void>;
  /** To be called when the best link of a peer came or went. */
  linkChanged(peer: PeerId, up: boolean, signal: AbortSignal): void;
}

export function createRelays(deps: RelaysDeps): Relays {
  const { clock, network } = deps;
  const known = new Map<string, { pageUrl?: string | undefined; addresses: readonly string[] }>();
  /** Relays that were asked for their page since their link came up, whatever they answered. */
  const asked = new Set<string>();
  const startedMs = clock.elapsedMs();
  const upMs = new Map<string, number>();
  const peers = deps.configured.map((address) => [address, relayPeer(address)] as const);
  const isUp = (peer: PeerId | undefined): peer is PeerId => peer !== undefined && deps.links.get(peer) !== undefined;
  const hasPlace = (peer: PeerId | undefined): boolean =>
    isUp(peer) && network.addresses().some((address) => address.includes(`/p2p/${peer}/p2p-circuit`));
  const stateOf = ([address, peer]: readonly [string, PeerId | undefined]): RelayState => ({
    address,
    peer,
    state: isUp(peer) ? 'connected' : 'unreachable',
    hasPlace: hasPlace(peer),
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
    asked.add(address);
  };
  const isOver = (address: string): boolean =>
    clock.elapsedMs() - (upMs.get(address) ?? startedMs) >= limits.relaySettleMs;
  const isSettled = ([address, peer]: readonly [string, PeerId | undefined]): boolean =>
    peer === undefined || isOver(address) || (hasPlace(peer) && asked.has(address));
  /** What was said of this relay when its link came up is not all: the place comes a moment later. */
  const awaitPlace = async (address: string, peer: PeerId, signal: AbortSignal): Promise<void> => {
    while (isUp(peer) && !hasPlace(peer) && !signal.aborted)
      await clock.sleep(isOver(address) ? limits.redialMsMin : limits.relayLookMs, signal).catch(() => undefined);
    if (signal.aborted || !hasPlace(peer)) return;
    deps.events.emit({ type: 'relay-changed', address, state: 'connected' });
    deps.placed();
  };
  const list = (): readonly RelayState[] => peers.map(stateOf);
  return {
    list,
    ids: () => peers.flatMap(([, peer]) => (peer === undefined ? [] : [peer])),
    circuits: () =>
      list()
        .filter((relay) => relay.hasPlace)
        .flatMap(({ addresses }) => addresses.slice(0, 1))
        .map((address) => `${address}/p2p-circuit`),
    pageUrl: () => list().find(({ state, pageUrl }) => state === 'connected' && pageUrl !== undefined)?.pageUrl,
    async settled(signal) {
      while (!signal.aborted && !peers.every(isSettled))
        await clock.sleep(limits.relayLookMs, signal).catch(() => undefined);
    },
    linkChanged(peer, up, signal) {
      for (const [address, relay] of peers) {
        if (relay !== peer) continue;
        asked.delete(address);
        if (up) upMs.set(address, clock.elapsedMs());
        deps.events.emit({ type: 'relay-changed', address, state: up ? 'connected' : 'unreachable' });
        if (!up) continue;
        void learn(address, peer, signal);
        void awaitPlace(address, peer, signal);
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
