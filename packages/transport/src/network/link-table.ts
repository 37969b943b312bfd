import type { Connection } from '@libp2p/interface';
import type { Link, PeerId } from '@peerai/core-protocol';
import type { LinkMeter } from '../channel/link-meter.ts';
import { createLinkTurns } from '../channel/link-turns.ts';
import { limits } from '../limits.ts';
import type { Bandwidth } from '../policy/bandwidth.ts';
import { transportOf } from './addresses.ts';
import { createPathQuality, lateTicks, type PathQuality } from './path-quality.ts';

/** Whether a TURN server of either side carries a link; `undefined` where that is not known. */
export type IsThroughTurn = (connection: Connection) => boolean | undefined;

/** One connection with its counters. */
export interface LinkEntry extends LinkMeter {
  readonly connection: Connection;
  measured(roundTripMs: number): void;
  readonly quality: PathQuality;
  /** Whether its channels are sealed, once that is known. */
  hybrid(is: boolean): void;
  /** Round trip known: the link answered us at least once. */
  readonly proven: boolean;
}

/** Every live connection as a Link, and who watches them. */
export interface LinkTable {
  entry(connection: Connection): LinkEntry;
  drop(connection: Connection): void;
  of(peer: string): LinkEntry[];
  all(): LinkEntry[];
  watch(signal: AbortSignal): AsyncIterable<Link>;
}

/** @param isThroughTurn - asked after each ping; without it nothing is said of TURN. */
export function createLinkTable(bandwidth?: Bandwidth, isThroughTurn?: IsThroughTurn): LinkTable {
  const entries = new Map<string, LinkEntry>();
  const watchers = new Set<(id: string, link: Link) => void>();
  const tell = (id: string, link: Link): void => {
    for (const watcher of watchers) watcher(id, link);
  };

  function createEntry(connection: Connection): LinkEntry {
    let roundTripMs = 0;
    let bytesSent = 0;
    let bytesReceived = 0;
    let hybrid: boolean | undefined;
    let throughTurn: boolean | undefined;
    const quality = createPathQuality();
    const entry: LinkEntry = {
      connection,
      quality,
      get lateTicks() {
        return lateTicks(quality.answerMs);
      },
      get link(): Link {
        return {
          peer: connection.remotePeer.toString() as PeerId,
          path: connection.direct ? 'direct' : 'relayed',
          transport: transportOf(connection.remoteAddr.toString()),
          roundTripMs,
          state: connection.status === 'open' ? 'up' : 'down',
          address: connection.remoteAddr.toString(),
          bytesSent,
          bytesReceived,
          ...(bandwidth === undefined ? {} : { bytesPerSecondMax: bandwidth.bytesPerSecond }),
          ...(hybrid === undefined ? {} : { hybrid }),
          ...(throughTurn === undefined ? {} : { throughTurn }),
        };
      },
      get proven() {
        return roundTripMs > 0;
      },
      sent: (bytes) => void (bytesSent += bytes),
      received: (bytes) => void (bytesReceived += bytes),
      turns: createLinkTurns(
        bandwidth && {
          bytesPerSecond: bandwidth.bytesPerSecond,
          pace: (bytes, signal) => bandwidth.pace(connection.remotePeer.toString() as PeerId, bytes, signal),
        },
      ),
      measured(ms) {
        roundTripMs = ms;
        quality.measured(ms);
        throughTurn = isThroughTurn?.(connection);
        tell(connection.id, entry.link);
      },
      hybrid(is) {
        // The other side may begin an exchange where it did not know ours.
        hybrid = is || hybrid === true;
        tell(connection.id, entry.link);
      },
    };
    return entry;
  }

  return {
    entry(connection) {
      const known = entries.get(connection.id);
      if (known !== undefined) return known;
      const entry = createEntry(connection);
      if (connection.status === 'open') {
        entries.set(connection.id, entry);
        tell(connection.id, entry.link);
      }
      return entry;
    },
    drop(connection) {
      const entry = entries.get(connection.id);
      if (entry === undefined) return;
      entries.delete(connection.id);
      tell(connection.id, { ...entry.link, state: 'down' });
    },
    of: (peer) => [...entries.values()].filter((entry) => entry.connection.remotePeer.toString() === peer),
    all: () => [...entries.values()],
    watch(signal) {
      return watchLinks(signal, entries, watchers);
    },
  };
}

/** Changes of one connection that were not read yet become one: a slow watcher holds at most one each. */
async function* watchLinks(
  signal: AbortSignal,
  entries: ReadonlyMap<string, LinkEntry>,
  watchers: Set<(id: string, link: Link) => void>,
): AsyncGenerator<Link> {
  const pending = new Map<string, Link>([...entries].map(([id, entry]) => [id, entry.link]));
  let wake = Promise.withResolvers<void>();
  const watcher = (id: string, link: Link): void => {
    if (pending.size >= limits.linkChangesMax && !pending.has(id)) pending.delete(pending.keys().next().value ?? '');
    pending.set(id, link);
    wake.resolve();
  };
  const stop = (): void => wake.resolve();
  watchers.add(watcher);
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      for (const [id, link] of pending) {
        pending.delete(id);
        yield link;
        if (signal.aborted) return;
      }
      if (pending.size === 0) await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  } finally {
    watchers.delete(watcher);
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Ends a link with all of its streams at once. The streams first: QUIC's muxer walks over its own list while each one that it ends leaves that list, so it
 * passes over every second one, and the channels on those would hear of it only when the native layer says so.
 */
export function endLink(connection: Connection, error: Error): void {
  for (const stream of connection.streams.slice()) stream.abort(error);
  connection.abort(error);
}
