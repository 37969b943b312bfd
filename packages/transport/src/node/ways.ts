import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { tcp } from '@libp2p/tcp';
import { webSockets } from '@libp2p/websockets';
import type { NodeShape } from '../libp2p/assemble.ts';
import type { TransportDeps, TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import type { AgentNat } from '../nat/agent-nat.ts';
import type { NativeIceServer } from '../nat/servers.ts';
import { isQuicAddress, loadQuic } from '../links/quic.ts';
import { transportOf } from '../network/addresses.ts';
import { circuitInit } from '../network/reservations.ts';
import type { SocksProxy } from '../links/socks.ts';
import type { AgentOptions } from './agent.ts';
import { freesNative, nativeWebrtc } from './native-webrtc.ts';

type WaysDeps = Pick<TransportDeps, 'clock' | 'logger' | 'random'>;

/** How an agent connects and is reached: its transports, and what follows from them. */
interface Ways {
  readonly shape: Pick<NodeShape, 'transports' | 'listen' | 'webrtc'> &
    Partial<Pick<NodeShape, 'announceFilter' | 'dialAddressMs' | 'looksUpNames' | 'placesOf'>>;
  readonly mdns: boolean;
  /** The STUN and TURN servers its WebRTC may use, where its owner has named some. */
  readonly nat?: AgentNat;
  /** What the transports hold besides the node is freed with it. */
  readonly releasedWith: (node: TransportNode) => TransportNode;
}

export function waysOf(options: AgentOptions, deps: WaysDeps): Promise<Ways> {
  return options.socks === undefined ? openWays(options, deps) : proxiedWays(options, options.socks, deps);
}

async function openWays(options: AgentOptions, deps: WaysDeps): Promise<Ways> {
  const on = options.transports ?? { tcp: true, websocket: true, webrtc: true };
  const servers = (): readonly NativeIceServer[] => nat?.servers() ?? [];
  const given = options.iceServers;
  const nat = given === undefined ? undefined : (await import('../nat/agent-nat.ts')).createAgentNat(deps, given);
  const native = on.webrtc ? await nativeWebrtc(servers) : undefined;
  const quic = on.quic === false ? undefined : await loadQuic(deps.logger);
  const file =
    options.signalPlace === undefined
      ? undefined
      : (await import('../links/file/index.ts')).createFileLinks(options.signalPlace, { ...deps, servers });
  const listen = options.listen.filter((address) => quic !== undefined || !isQuicAddress(address));
  return {
    shape: {
      transports: [
        circuitRelayTransport(circuitInit),
        ...(on.tcp ? [tcp()] : []),
        ...(on.websocket ? [webSockets()] : []),
        ...(native === undefined ? [] : [native]),
        ...(quic === undefined ? [] : [quic]),
        ...(file === undefined ? [] : [file.transport]),
      ],
      listen: [...listen, ...(on.webrtc ? ['/webrtc'] : []), ...(file === undefined ? [] : [file.listen])],
      ...(file === undefined ? {} : { placesOf: file.placesOf }),
      webrtc: on.webrtc,
    },
    mdns: options.mdns === true,
    ...(nat === undefined ? {} : { nat }),
    releasedWith: native === undefined && file === undefined ? (node) => node : freesNative,
  };
}

/** Nothing that opens a socket of its own is there, so nothing can go round the proxy, whatever is dialled and however it fails. */
async function proxiedWays(options: AgentOptions, proxy: SocksProxy, { logger }: WaysDeps): Promise<Ways> {
  const { isLoopback, socksTransport } = await import('../links/socks.ts');
  const canStay = (address: string): boolean => isLoopback(address) && transportOf(address) === 'tcp';
  const leftOut = options.listen.filter((address) => !canStay(address));
  if (leftOut.length > 0) logger.warn('listen-left-out', { addresses: leftOut, reason: 'a proxy is set' });
  const withoutPeer = (address: string): string => address.split('/p2p/')[0] ?? '';
  const told = new Set(options.announce?.map(withoutPeer));
  const isTold = (address: string): boolean => address.includes('/p2p-circuit') || told.has(withoutPeer(address));
  return {
    shape: {
      transports: [circuitRelayTransport(circuitInit), socksTransport(proxy)],
      listen: options.listen.filter(canStay),
      webrtc: false,
      // Own addresses would say where this machine is, and nobody could reach them.
      announceFilter: (all) => all.filter((one) => isTold(one.toString())),
      dialAddressMs: options.connectionTimeoutMs ?? limits.connectionTimeoutMs,
      looksUpNames: false,
    },
    mdns: false,
    releasedWith: (node) => node,
  };
}
