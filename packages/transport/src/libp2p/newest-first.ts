import type { Components } from './components.ts';

/**
 * libp2p's relay calls a peer over the first connection in the connection manager's list, the oldest: that of a laptop which
 * has changed its network, or of an agent that was restarted, is silent until a ping ends it. Here the newest comes first.
 */
export function newestFirst(components: Components): void {
  components.events.addEventListener('connection:open', ({ detail: connection }) => {
    const toFront = (): void => {
      // The list itself, not a copy of it.
      const connections = components.connectionManager.getConnections(connection.remotePeer);
      const index = connections.indexOf(connection);
      if (index > 0) connections.unshift(...connections.splice(index, 1));
    };
    // The connection manager listens to the same event, and puts it at the end.
    void Promise.resolve().then(toFront);
  });
}
