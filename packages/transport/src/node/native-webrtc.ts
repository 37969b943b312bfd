import { cleanup } from 'node-datachannel';
import type { Libp2pInit } from 'libp2p';
import { webrtcInit } from '../libp2p/assemble.ts';
import type { TransportNode } from '../libp2p/options.ts';

/** Nodes of this process that may hold native connections. */
let holders = 0;

/**
 * WebRTC on Node: connections that broke while they came up stay alive in the native layer and keep the process from
 * ending. When the last node of the process has stopped, everything native is freed.
 */
export async function nativeWebrtc(): Promise<{
  readonly transport: NonNullable<Libp2pInit['transports']>[number];
  readonly releasedWith: (node: TransportNode) => TransportNode;
}> {
  const webRTC = await loadWebrtc();
  return {
    transport: webRTC(webrtcInit),
    releasedWith(node) {
      let holding = false;
      return {
        ...node,
        start(signal) {
          if (!holding) holders += 1;
          holding = true;
          return node.start(signal);
        },
        async stop() {
          await node.stop();
          if (!holding) return;
          holding = false;
          holders -= 1;
          if (holders === 0) cleanup();
        },
      };
    },
  };
}

type WebRtc = (typeof import('@libp2p/webrtc'))['webRTC'];
type WebRtcTransport = new (
  components: Parameters<ReturnType<WebRtc>>[0],
  init: Parameters<WebRtc>[0],
) => ReturnType<ReturnType<WebRtc>>;

/**
 * One of the package's two transports. The other, WebRTC-Direct, brings certificates and ASN.1: 250 modules, an eighth of what an agent loads, for
 * addresses that it neither listens on nor dials. The package has one entry for both; where its files lie otherwise than today, that one is taken.
 */
async function loadWebrtc(): Promise<WebRtc> {
  try {
    const file = new URL('./private-to-private/transport.js', import.meta.resolve('@libp2p/webrtc'));
    const { WebRTCTransport } = (await import(file.href)) as { readonly WebRTCTransport: WebRtcTransport };
    return (init) => (components) => new WebRTCTransport(components, init);
  } catch {
    return (await import('@libp2p/webrtc')).webRTC;
  }
}
