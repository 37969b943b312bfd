import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Peer } from '@peerai/peer';
import { WebSocketServer } from 'ws';

/** Every bound of the seed's socket, with its unit and its reason. */
export const networkSocketLimits = {
  /** Bytes that may wait for a slow reader before it is dropped: each reader holds its own. */
  waitingBytesMax: 1_048_576,
  /** Readers at once, count: 64 MiB wait for them at the most. One more is answered 503. */
  readersMax: 64,
  /** Bytes of what a reader says: nothing of it is used. */
  messageBytesMax: 1_024,
} as const;
const { waitingBytesMax, readersMax, messageBytesMax } = networkSocketLimits;

type SeedEvent =
  | { readonly type: 'peer_connected'; readonly peer_id: string }
  | { readonly type: 'peer_disconnected'; readonly peer_id: string }
  | { readonly type: 'message_received'; readonly message: unknown }
  | { readonly type: 'network_error'; readonly error: string };

/** `/network`: the seed's WebSocket with its four event types and no other. Read-only: what a client sends is ignored. */
export function createNetworkSocket(
  peer: Peer,
  signal: AbortSignal,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const server = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax });
  const broadcast = (event: SeedEvent): void => {
    const text = JSON.stringify(event);
    for (const client of server.clients) {
      if (client.bufferedAmount > waitingBytesMax) client.terminate();
      else client.send(text);
    }
  };
  void (async () => {
    for await (const { event } of peer.events.subscribe(signal)) {
      if (event.type === 'peer-connected') broadcast({ type: 'peer_connected', peer_id: event.peer.peerId });
      if (event.type === 'peer-disconnected') broadcast({ type: 'peer_disconnected', peer_id: event.peer.peerId });
      if (event.type === 'message-received') broadcast({ type: 'message_received', message: event.message });
      if (event.type === 'relay-changed' && event.state === 'unreachable') {
        broadcast({ type: 'network_error', error: `relay ${event.address} is unreachable` });
      }
    }
  })();
  signal.addEventListener('abort', () => {
    for (const client of server.clients) client.close(1001);
    server.close();
  });
  return (request, socket, head) => {
    if (server.clients.size >= readersMax) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    server.handleUpgrade(request, socket, head, (client) => client.on('error', () => client.terminate()));
  };
}
