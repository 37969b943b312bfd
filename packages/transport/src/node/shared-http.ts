import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Listener } from '@libp2p/interface';
import { getThinWaistAddresses } from '@libp2p/utils';
import { webSockets } from '@libp2p/websockets';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';

type Transport = ReturnType<ReturnType<typeof webSockets>>;

/** The part of @libp2p/websockets' listener that takes an upgraded request; present in 10.x, checked when it is made. */
interface UpgradeListener extends Listener {
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void;
}

export interface SharedHttp {
  /** What to put into `listen`: libp2p's own listener, on a loopback port nobody is told. */
  readonly listen: string;
  readonly transport: (components: Components) => Transport;
  /** Replaces that port by the shared one. */
  readonly announceFilter: (addresses: Multiaddr[]) => Multiaddr[];
}

/**
 * @libp2p/websockets 10 only listens on a port of its own (its `server` option is read nowhere), so upgrades of the
 * shared server are handed to its listener, socket and all: remote addresses stay what they are, nothing is copied.
 */
export function shareHttpServer(server: Server, isOwnPath: (path: string) => boolean = () => false): SharedHttp {
  const inner = new Set<UpgradeListener>();

  server.on('upgrade', (request, socket, head) => {
    if (isOwnPath(pathOf(request))) return;
    const [listener] = inner;
    if (listener === undefined) socket.destroy();
    else listener.onUpgrade(request, socket, head);
  });

  return {
    listen: '/ip4/127.0.0.1/tcp/0/ws',
    transport: (components) => {
      const transport = webSockets()(components);
      const createListener = transport.createListener.bind(transport);
      transport.createListener = (options) => {
        const listener = createListener(options);
        if (!takesUpgrades(listener)) {
          throw transportError('UNSAFE_ENVIRONMENT', 'this version of @libp2p/websockets takes no upgraded sockets');
        }
        inner.add(listener);
        listener.addEventListener('close', () => void inner.delete(listener));
        return listener;
      };
      return transport;
    },
    announceFilter: (addresses) => {
      const own = new Set([...inner].flatMap((listener) => listener.getAddrs().map(String)));
      const others = addresses.filter((address) => !own.has(address.toString().split('/p2p/')[0] ?? ''));
      return [...others, ...sharedAddresses(server)];
    },
  };
}

function takesUpgrades(listener: Listener): listener is UpgradeListener {
  return typeof (listener as Partial<UpgradeListener>).onUpgrade === 'function';
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0] ?? '/';
}

function sharedAddresses(server: Server): Multiaddr[] {
  const address = server.address();
  if (address === null || typeof address === 'string') return [];
  const family = address.family === 'IPv6' ? 'ip6' : 'ip4';
  return getThinWaistAddresses(multiaddr(`/${family}/${address.address}/tcp/${address.port}`)).map((one) =>
    one.encapsulate('/ws'),
  );
}
