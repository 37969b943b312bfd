import type { Connection, Stream } from '@libp2p/interface';
import { refuseMessages } from '../channel/message-channel.ts';
import { transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';

/**
 * Exactly so many connections: one more is told so and closed, and those that are there go on. Of two that a peer has, one counts: who dials several addresses
 * at once has two for a moment, and the one that is kept must not be the one that found no place.
 */
export interface ConnectionLimit {
  /** libp2p's own bound, which closes sockets without a word and ends old connections to make room: out of reach behind ours. */
  readonly libp2pMax: number;
  /** True for a connection beyond the limit. */
  isRefused(connection: Connection): boolean;
  /** No dial may be begun. */
  readonly isFull: boolean;
  /** To be called as the first of libp2p's services. */
  over(components: Components): void;
}

/** @param bounds - connections beyond the limit that are let in to be told so, and how long they stay, milliseconds; for tests, the limits of the same name otherwise. */
export function createConnectionLimit(
  connectionsMax: number,
  bounds: { readonly refusedConnectionsMax?: number; readonly refusedConnectionMs?: number } = {},
): ConnectionLimit {
  const { refusedConnectionsMax = limits.refusedConnectionsMax, refusedConnectionMs = limits.refusedConnectionMs } =
    bounds;
  /** Peers by connection: those that count, and at most one beside it of each peer. */
  const admitted = new Map<string, string>();
  const seconds = new Map<string, string>();
  const refused = new WeakSet<Connection>();

  function refuse(connection: Connection): void {
    refused.add(connection);
    connection.newStream = () => Promise.reject(isFullError(connectionsMax));
    // Time enough for its first channel to be refused by name.
    const timer = setTimeout(() => connection.abort(isFullError(connectionsMax)), refusedConnectionMs);
    connection.addEventListener('close', () => clearTimeout(timer));
  }

  function take(connection: Connection): void {
    const peer = connection.remotePeer.toString();
    const isSecond = [...admitted.values()].includes(peer) && ![...seconds.values()].includes(peer);
    if (isSecond) seconds.set(connection.id, peer);
    else if (admitted.size >= connectionsMax) refuse(connection);
    else admitted.set(connection.id, peer);
  }

  /** The place of one that counted is its second's, where there is one. */
  function leave({ id }: Connection): void {
    seconds.delete(id);
    const peer = admitted.get(id);
    if (!admitted.delete(id)) return;
    const [second] = [...seconds].find(([, of]) => of === peer) ?? [];
    if (second === undefined || peer === undefined) return;
    seconds.delete(second);
    admitted.set(second, peer);
  }

  return {
    libp2pMax: connectionsMax + refusedConnectionsMax,
    isRefused: (connection) => refused.has(connection),
    get isFull() {
      return admitted.size >= connectionsMax;
    },
    over({ events, registrar }) {
      events.addEventListener('connection:open', ({ detail }) => take(detail));
      events.addEventListener('connection:close', ({ detail }) => leave(detail));
      const handlerOf = registrar.getHandler.bind(registrar);
      registrar.getHandler = (protocol) => {
        const found = handlerOf(protocol);
        const handler = (stream: Stream, connection: Connection): void | Promise<void> => {
          if (!refused.has(connection)) return found.handler(stream, connection);
          if (protocol.startsWith('/peerai/')) return refuseMessages(stream, 'LIMIT_REACHED');
          stream.abort(isFullError(connectionsMax));
        };
        return { ...found, handler };
      };
    },
  };
}

const isFullError = (connectionsMax: number): Error =>
  transportError('LIMIT_REACHED', `this node has its ${connectionsMax} connections`);
