import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A wire that can be cut or silenced: 127.0.0.1 port to port. */
export interface TcpProxy {
  /** The multiaddr part to dial: `/ip4/127.0.0.1/tcp/<port>`. */
  readonly address: string;
  /** From now on no byte passes and nobody is told, as when a laptop's lid closes. */
  silence(): void;
  /** Ends every connection. */
  cut(): void;
  close(): void;
}

/**
 * @param target - a multiaddr that starts with `/ip4/…/tcp/<port>`.
 * @param holdMs - how long what comes in on a new connection is held back, as by a machine that has much else to do.
 * @param delayMs - how much later every byte arrives, each way, as over a long line. Nothing then holds a quick sender back.
 */
export async function createTcpProxy(target: string, holdMs = 0, delayMs = 0): Promise<TcpProxy> {
  const port = Number(target.split('/')[4]);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    carry(far, near, delayMs);
    if (holdMs === 0) carry(near, far, delayMs);
    else setTimeout(() => carry(near, far, delayMs), holdMs);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`,
    silence() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    cut,
    close() {
      cut();
      server.close();
    },
  };
}

function carry(from: Socket, to: Socket, delayMs: number): void {
  if (delayMs === 0) {
    from.pipe(to);
    return;
  }
  // Timers of one length fire in the order in which they were set.
  from.on('data', (bytes) => void setTimeout(() => to.write(bytes), delayMs));
  from.on('end', () => void setTimeout(() => to.end(), delayMs));
}
