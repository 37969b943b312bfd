import type { MultiaddrConnection } from '@libp2p/interface';
import type { Components } from './components.ts';

/** What a connection of @libp2p/websockets 10 looks like inside. */
interface SocketConnection extends MultiaddrConnection {
  readonly websocket: { close(): void; readonly terminate?: () => void };
  sendReset(error: Error): void;
}

/**
 * @libp2p/websockets 10 resets a connection with the close code 1006, which no WebSocket may send: the call throws, and a connection that was
 * aborted stays open at both ends. Here a reset ends the socket: at once where the implementation can, else by an ordinary close.
 */
export function resetWebSockets({ upgrader }: Components): void {
  const inbound = upgrader.upgradeInbound.bind(upgrader);
  const outbound = upgrader.upgradeOutbound.bind(upgrader);
  upgrader.upgradeInbound = (connection, options) => inbound(withReset(connection), options);
  upgrader.upgradeOutbound = (connection, options) => outbound(withReset(connection), options);
}

function withReset(connection: MultiaddrConnection): MultiaddrConnection {
  if (!isSocketConnection(connection)) return connection;
  const { websocket } = connection;
  connection.sendReset = () => (websocket.terminate === undefined ? websocket.close() : websocket.terminate());
  return connection;
}

const isSocketConnection = (connection: MultiaddrConnection): connection is SocketConnection =>
  'websocket' in connection && 'sendReset' in connection;
