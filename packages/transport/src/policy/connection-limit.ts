import type { Connection, Stream } from '@libp2p/interface';
import { refuseMessages } from '../channel/message-channel.ts';
import { transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';

/** Exactly so many connections: one more is told so and closed, and those that are there go on. */
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
  const admitted = new Set<string>();
  const refused = new WeakSet<Connection>();

  function refuse(connection: Connection): void {
    refused.add(connection);
    connection.newStream = () => Promise.reject(isFullError(connectionsMax));
    // Time enough for its first channel to be refused by name.
    const timer = setTimeout(() => connection.abort(isFullError(connectionsMax)), refusedConnectionMs);
    connection.addEventListener('close', () => clearTimeout(timer));
  }

  return {
    libp2pMax: connectionsMax + refusedConnectionsMax,
    isRefused: (connection) => refused.has(connection),
    get isFull() {
      return admitted.size >= connectionsMax;
    },
    over({ events, registrar }) {
      events.addEventListener('connection:open', ({ detail: connection }) => {
        if (admitted.size >= connectionsMax) return refuse(connection);
        admitted.add(connection.id);
      });
      events.addEventListener('connection:close', ({ detail }) => void admitted.delete(detail.id));
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
