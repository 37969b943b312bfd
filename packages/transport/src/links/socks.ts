import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  type AbortOptions,
  type Connection,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Listener,
  type Logger as Libp2pLogger,
  serviceCapabilities,
  type Transport,
  transportSymbol,
} from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { AbstractMultiaddrConnection, type AbstractMultiaddrConnectionInit } from '@libp2p/utils';
import type { Multiaddr } from '@multiformats/multiaddr';
import { SocksClient } from 'socks';
import { transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';

/** Where a SOCKS5 proxy listens, such as Tor's `127.0.0.1:9050`. */
export interface SocksProxy {
  readonly host: string;
  readonly port: number;
}

/**
 * TCP through a SOCKS5 proxy (RFC 1928), and nothing else: names go to the proxy as names, so none is looked up here; `/onion3`
 * addresses are names too. Where the proxy is away, a dial fails. Listens with plain TCP, for a proxy that forwards to this machine.
 */
export const socksTransport =
  (proxy: SocksProxy) =>
  (components: Components): Transport =>
    new SocksTransport(proxy, components);

class SocksTransport implements Transport {
  readonly [transportSymbol] = true;
  readonly [Symbol.toStringTag] = 'peerai-socks5';
  readonly [serviceCapabilities] = ['@libp2p/transport'];
  readonly #proxy: SocksProxy;
  readonly #tcp: Transport;
  readonly #log: Libp2pLogger;

  constructor(proxy: SocksProxy, components: Components) {
    this.#proxy = proxy;
    this.#tcp = tcp()(components);
    this.#log = components.logger.forComponent('peerai:socks5');
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const destination = destinationOf(address);
    if (destination === undefined) throw transportError('INVALID_FORMAT', 'a SOCKS5 proxy does not take this address');
    const socket = await through(this.#proxy, destination, options.signal);
    const bytes = new SocketBytes({ remoteAddr: address, direction: 'outbound', log: this.#log }, socket);
    try {
      return await options.upgrader.upgradeOutbound(bytes, options);
    } catch (error) {
      bytes.abort(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  createListener(options: CreateListenerOptions): Listener {
    return this.#tcp.createListener(options);
  }

  listenFilter(addresses: Multiaddr[]): Multiaddr[] {
    return this.#tcp.listenFilter(addresses.filter((address) => isLoopback(address.toString())));
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => destinationOf(address) !== undefined);
  }
}

export const isLoopback = (address: string): boolean => /^\/(ip4\/127\.|ip6\/::1\/)/u.test(address);

interface Destination {
  readonly host: string;
  readonly port: number;
}

const hosts = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6']);

/** Plain TCP to an address, a name or an onion service; undefined for everything else, `dnsaddr` too, which only a look-up here could answer. */
export function destinationOf(address: Multiaddr): Destination | undefined {
  const [first, second, ...rest] = address.getComponents();
  if (first?.value === undefined) return undefined;
  if (first.name === 'onion3') {
    const [name, port] = first.value.split(':');
    return second === undefined || (second.name === 'p2p' && rest.length === 0)
      ? { host: `${name}.onion`, port: Number(port) }
      : undefined;
  }
  if (!hosts.has(first.name) || second?.name !== 'tcp' || second.value === undefined) return undefined;
  return rest.length === 0 || (rest.length === 1 && rest[0]?.name === 'p2p')
    ? { host: first.value, port: Number(second.value) }
    : undefined;
}

/** A socket to the destination. The proxy's own connection ends with the signal. */
async function through(proxy: SocksProxy, destination: Destination, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host: proxy.host, port: proxy.port, noDelay: true, keepAlive: true });
  // `socks` takes its own ear off when it gives up, and a socket that fails unheard ends the process.
  socket.on('error', () => undefined);
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await once(socket, 'connect', { signal });
    const { socket: open } = await SocksClient.createConnection({
      proxy: { host: proxy.host, port: proxy.port, type: 5 },
      command: 'connect',
      destination: { host: destination.host, port: destination.port },
      existing_socket: socket,
      timeout: limits.socksTimeoutMs,
    });
    signal.throwIfAborted();
    return open;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A connected socket as libp2p's bytes; it hears of `data` at once, because `socks` starts it again as soon as it is told. */
class SocketBytes extends AbstractMultiaddrConnection {
  readonly #socket: Socket;

  constructor(init: AbstractMultiaddrConnectionInit, socket: Socket) {
    super(init);
    this.#socket = socket;
    socket.on('data', (bytes: Uint8Array) => this.onData(bytes));
    socket.on('drain', () => this.safeDispatchEvent('drain'));
    socket.on('error', (error) => this.abort(error));
    socket.on('close', () => this.onTransportClosed());
  }

  sendData(
    data: Parameters<AbstractMultiaddrConnection['sendData']>[0],
  ): ReturnType<AbstractMultiaddrConnection['sendData']> {
    let sentBytes = 0;
    let canSendMore = true;
    for (const piece of data) {
      canSendMore = this.#socket.write(piece);
      sentBytes += piece.byteLength;
      if (!canSendMore) break;
    }
    return { sentBytes, canSendMore };
  }

  async sendClose(options: AbortOptions = {}): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.destroySoon();
    await once(this.#socket, 'close', options);
  }

  sendReset(): void {
    this.#socket.destroy();
  }

  sendPause(): void {
    this.#socket.pause();
  }

  sendResume(): void {
    this.#socket.resume();
  }
}
