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
  /** Who named it: this peer's own settings, or a group it is a member of. */
  readonly from: 'settings' | 'group';
  /** How others dial it, browsers first. */
  readonly addresses: readonly string[];
}
/** Why a relay's address is not kept: none of a relay, another one of a relay that is kept, or one too many. */
export type RelayLeftOut = 'NO_RELAY_ADDRESS' | 'SAME_RELAY' | 'TOO_MANY_RELAYS';
export type UseRelays = (
  addresses: readonly string[],
) => readonly { readonly address: string; readonly leftOut?: RelayLeftOut }[];
export interface RelaysDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly links: LinkBook;
  readonly events: EventHub;
  /** Multiaddrs from the configuration. */
  readonly configured: readonly string[];
  /** Keeps these beside the configured ones and says what became of each; without it the configured ones are all. */
  readonly use: UseRelays | undefined;
  /** A relay has just given this peer a place. */
  readonly placed: () => void;
}

/** The relays this peer was told of: whether they are there, where their page is, how others reach us through them. */
export interface Relays {
  list(): readonly RelayState[];
  ids(): readonly PeerId[];
  /** Why what a group has named last is not kept. */
  leftOut(address: string): RelayLeftOut | undefined;
  /** Multiaddrs under which others reach this peer through relays, without the `/p2p/<self>` end; browsers' first. */
  circuits(): readonly string[];
  pageUrl(): string | undefined;
  /**
   * Resolves once every relay can be named in a link, or is not to be waited for: `relaySettleMs` after the start, or after
   * its link came up, it still lacks a place. Rejects never.
   */
  settled(signal: AbortSignal): Promise<void>;
  /** Keeps what groups have named, and nothing that they named before; undefined where only the settings' own can be. */
  readonly follow: ((addresses: readonly string[], signal: AbortSignal) => void) | undefined;
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
  const configured = namedBy('settings', deps.configured);
  let peers = configured;
  let leftOut: ReadonlyMap<string, RelayLeftOut> = new Map();
  const isUp = (peer: PeerId | undefined): peer is PeerId => peer !== undefined && deps.links.get(peer) !== undefined;
  const hasPlace = (peer: PeerId | undefined): boolean =>
    isUp(peer) && network.addresses().some((address) => address.includes(`/p2p/${peer}/p2p-circuit`));
  const stateOf = ({ address, peer, from }: Named): RelayState => ({
    address,
    peer,
    from,
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
  const isSettled = ({ address, peer }: Named): boolean =>
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
  const came = (address: string, peer: PeerId, signal: AbortSignal): void => {
    upMs.set(address, clock.elapsedMs());
    void learn(address, peer, signal);
    void awaitPlace(address, peer, signal);
  };
  const { use } = deps;
  const follow = (addresses: readonly string[], signal: AbortSignal): void => {
    const before = peers;
    const uses = use?.(addresses.filter((address) => !deps.configured.includes(address))) ?? [];
    leftOut = new Map(uses.flatMap((one) => (one.leftOut === undefined ? [] : [[one.address, one.leftOut]])));
    const kept = uses.filter((one) => one.leftOut === undefined);
    peers = [
      ...configured,
      ...namedBy(
        'group',
        kept.map(({ address }) => address),
      ),
    ];
    for (const { address, peer } of before) {
      if (peers.some((one) => one.address === address)) continue;
      for (const book of [known, upMs]) book.delete(address);
      asked.delete(address);
      if (peer !== undefined) deps.events.emit({ type: 'relay-changed', address, state: 'unreachable' });
    }
    // A link to it may be up already, for another reason.
    for (const { address, peer } of peers)
      if (!before.some((one) => one.address === address) && isUp(peer)) came(address, peer, signal);
  };
  return {
    list,
    ids: () => peers.flatMap(({ peer }) => (peer === undefined ? [] : [peer])),
    leftOut: (address) => leftOut.get(address),
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
    follow: use === undefined ? undefined : follow,
    linkChanged(peer, up, signal) {
      for (const { address, peer: relay } of peers) {
        if (relay !== peer) continue;
        asked.delete(address);
        deps.events.emit({ type: 'relay-changed', address, state: up ? 'connected' : 'unreachable' });
        if (up) came(address, peer, signal);
      }
    },
  };
}

interface Named {
  readonly address: string;
  readonly peer: PeerId | undefined;
  readonly from: RelayState['from'];
}

const namedBy = (from: Named['from'], addresses: readonly string[]): readonly Named[] =>
  addresses.map((address) => ({ address, peer: relayPeer(address), from }));

/** The last `/p2p/<id>` of a relay's address. */
function relayPeer(address: string): PeerId | undefined {
  const text = /\/p2p\/([^/]+)\/?$/.exec(address)?.[1];
  try {
    return text === undefined ? undefined : parsePeerId(text);
  } catch {
    return undefined;
  }
}
