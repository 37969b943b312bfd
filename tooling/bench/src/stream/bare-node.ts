import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { webRTC } from '@libp2p/webrtc';
import { yamux } from '@libp2p/yamux';
import { limits } from '@peerai/transport';
import { createLibp2p, type Libp2p, type Libp2pInit } from 'libp2p';

/** libp2p alone with the settings of our own nodes: TCP, Noise, yamux with the same windows, and WebRTC signalled by a relay where asked; and what a bench adds. */
export async function createBareNode(
  listen: readonly string[],
  webrtc = false,
  services: NonNullable<Libp2pInit['services']> = {},
): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: [...listen] },
    transports: [tcp(), ...(webrtc ? [circuitRelayTransport(), webRTC({ rtcConfiguration: { iceServers: [] } })] : [])],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        maxInboundStreams: limits.streamsPerConnectionMax,
        maxOutboundStreams: limits.streamsPerConnectionMax,
        streamOptions: {
          maxStreamWindowSize: limits.streamWindowBytesMax,
          maxReadBufferLength: limits.streamReadBufferBytesMax,
        },
      }),
    ],
    connectionGater: { denyDialMultiaddr: () => false },
    // Its own 5 a second from one address turns away the nodes of one machine.
    connectionManager: {
      inboundConnectionThreshold: limits.inboundConnectionsPerSecond,
      maxIncomingPendingConnections: limits.pendingConnectionsMax,
    },
    connectionMonitor: { enabled: false },
    services: { ...services, identify: identify(), ping: ping() },
  });
}
