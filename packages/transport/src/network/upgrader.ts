import type { Connection } from '@libp2p/interface';
import type { Clock, Logger, PeerId, Random } from '@peerai/core-protocol';
import { channelClosed, reasonOf } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { planAddresses } from './addresses.ts';
import { dialAddress, dialWebrtc } from './dialer.ts';
import type { LinkEntry, LinkTable } from './link-table.ts';
import { measureLink } from './link-ping.ts';

/** Puts a direct link beside a relayed one. */
export interface DirectUpgrader {
  /** Starts in the background, at most once per peer and pause; never throws. */
  consider(connection: Connection): void;
  /** Ends relayed links that a proven direct one has made idle. */
  sweep(): void;
}

export function createDirectUpgrader(deps: {
  readonly components: Components;
  readonly table: LinkTable;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly stopped: AbortSignal;
  readonly webrtc: boolean;
  readonly announced: (peer: PeerId) => readonly string[];
  readonly placesOf?: (peer: PeerId) => Promise<readonly string[]>;
}): DirectUpgrader {
  const { components, table, clock, logger, stopped } = deps;
  const lastTryMs = new Map<string, number>();
  /** Links that were proven beside a relayed one; the relayed one may go when nobody uses it. */
  const proven = new Set<string>();

  /** First the sockets identify or the peer's record has told us of, with WebRTC at the same time: whichever proves itself. */
  async function upgrade(relayed: Connection): Promise<void> {
    const peer = relayed.remotePeer.toString() as PeerId;
    const known = await components.peerStore.get(relayed.remotePeer).catch(() => undefined);
    const addresses = (known?.addresses ?? []).map((one) => one.multiaddr.toString());
    const told = [...addresses, ...deps.announced(peer), ...((await deps.placesOf?.(peer)) ?? [])];
    const plan = planAddresses(peer, [...told, relayed.remoteAddr.toString()]);
    const won = new AbortController();
    const signal = AbortSignal.any([won.signal, stopped]);
    const tries = [
      ...plan.direct
        .slice(0, limits.dialAddressesMax)
        .map((address) => prove(dialAddress(components, clock, address, limits.dialAddressMs, signal), signal)),
      ...plan.file.map((address) => prove(dialAddress(components, clock, address, limits.upgradeMs, signal), signal)),
      ...(deps.webrtc ? [prove(dialWebrtc(components, clock, plan.webrtc, limits.upgradeMs, signal), signal)] : []),
    ];
    try {
      const connection = await Promise.any(tries);
      proven.add(connection.id);
      logger.debug('link-upgraded', { peer, address: connection.remoteAddr.toString() });
    } catch (error) {
      const reasons = error instanceof AggregateError ? error.errors.map(reasonOf) : [reasonOf(error)];
      logger.debug('link-upgrade-failed', { peer, reasons });
    } finally {
      won.abort(channelClosed('another address was quicker'));
    }
  }

  async function prove(dialled: Promise<Connection>, signal: AbortSignal): Promise<Connection> {
    const connection = await dialled;
    if (await measureLink(table.entry(connection), deps, signal)) return connection;
    connection.abort(channelClosed('a new direct link did not answer'));
    throw channelClosed('the direct link did not answer');
  }

  return {
    consider(connection) {
      const peer = connection.remotePeer.toString();
      const now = clock.elapsedMs();
      const last = lastTryMs.get(peer);
      if (connection.direct || (last !== undefined && now - last < limits.upgradeAgainMs)) return;
      if (table.of(peer).some((entry) => entry.connection.direct)) return;
      if (lastTryMs.size >= limits.relayConnectionsMax) lastTryMs.clear();
      lastTryMs.set(peer, now);
      void upgrade(connection);
    },
    sweep() {
      const live = new Set(table.all().map((entry) => entry.connection.id));
      for (const id of proven) if (!live.has(id)) proven.delete(id);
      for (const { connection } of table.all()) {
        if (connection.direct || inUse(connection)) continue;
        const direct = table.of(connection.remotePeer.toString()).some((entry) => proven.has(entry.connection.id));
        if (direct) connection.close().catch(() => undefined);
      }
    },
  };
}

/** Ends what two peers have beside the link they use: each dialled the other at the same moment, or one of them twice. */
export interface SpareLinks {
  /** To be called from time to time. Ends links that carry nothing, and never the last proven one of their kind. */
  sweep(): void;
}

/** One side decides, the one whose id comes first: each ending another link would leave none. */
export function createSpareLinks(
  clock: Pick<Clock, 'elapsedMs'>,
  self: PeerId,
  links: () => readonly LinkEntry[],
): SpareLinks {
  const seenMs = new Map<string, number>();
  return {
    sweep() {
      const nowMs = clock.elapsedMs();
      const direct = links().filter(({ connection }) => connection.direct && connection.status === 'open');
      const live = new Set(direct.map(({ connection }) => connection.id));
      for (const id of seenMs.keys()) if (!live.has(id)) seenMs.delete(id);
      for (const id of live) if (!seenMs.has(id)) seenMs.set(id, nowMs);
      const isOld = ({ connection }: LinkEntry): boolean =>
        nowMs - (seenMs.get(connection.id) ?? nowMs) >= limits.spareLinkMs;
      for (const [peer, own] of Map.groupBy(direct, ({ link }) => link.peer)) {
        const proven = own.filter((entry) => entry.proven);
        if (self > peer || proven.length < 2) continue;
        const kept = proven.find(({ connection }) => inUse(connection)) ?? nearest(proven);
        for (const entry of proven)
          if (entry !== kept && isOld(entry) && !inUse(entry.connection))
            entry.connection.close().catch(() => undefined);
      }
    },
  };
}

/** The one that costs least by its measured round trips. */
const nearest = (links: readonly LinkEntry[]): LinkEntry | undefined =>
  links.toSorted((a, b) => a.quality.costMs - b.quality.costMs)[0];

/** Streams of libp2p itself (ping, identify) do not keep a link, nor does gossip's, which moves to another one. */
function inUse(connection: Connection): boolean {
  return connection.streams.some(({ protocol }) => !/^\/(?:ipfs|meshsub)\//u.test(protocol));
}
