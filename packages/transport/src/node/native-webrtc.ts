import { cleanup, PeerConnection } from 'node-datachannel';
import type { Libp2pInit } from 'libp2p';
import type { TransportNode } from '../libp2p/options.ts';
import type { NativeIceServer } from '../nat/servers.ts';

/** Nodes of this process that may hold native connections. */
let holders = 0;

/** WebRTC on Node, met over relays. @param servers - asked for each connection: which STUN and TURN servers it may use. */
export async function nativeWebrtc(
  servers: () => readonly NativeIceServer[],
): Promise<NonNullable<Libp2pInit['transports']>[number]> {
  const webRTC = await loadWebrtc();
  return webRTC({ rtcConfiguration: () => patientConfiguration(servers()) });
}

/**
 * Connections that broke while they came up stay alive in the native layer and keep the process from ending. When the last
 * node of the process has stopped, everything native is freed.
 */
export function freesNative(node: TransportNode): TransportNode {
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
}

/**
 * A connection that tells its candidates only once it knows the other side's description. libdatachannel starts its transports a moment before
 * it keeps that description; an answerer that has our candidates by then is through with its handshake too soon, and its certificate is refused
 * for want of a fingerprint to hold it against (or its first packet is lost, and repeated a second later). On one busy machine that was one link
 * in six. Without candidates the answerer waits for our first packet.
 */
export function patientConfiguration(servers: readonly NativeIceServer[] = []): Configuration {
  const native = new PeerConnection('peerai', { iceServers: [...servers] });
  let waiting: (() => void)[] | undefined = [];
  const patient: Partial<PeerConnection> = {
    onLocalCandidate: (tell) => {
      native.onLocalCandidate((candidate, mid) => {
        if (waiting === undefined) tell(candidate, mid);
        else waiting.push(() => tell(candidate, mid));
      });
    },
    setRemoteDescription: (...description) => {
      native.setRemoteDescription(...description);
      const held = waiting ?? [];
      waiting = undefined;
      for (const tell of held) tell();
    },
  };
  // The polyfill's own list is not used beside a connection of ours; without one, the package would put four public servers there.
  return { iceServers: [], peerConnection: withMethods(native, patient) };
}

/** The polyfill takes a native connection beside what browsers know. */
interface Configuration {
  readonly iceServers: never[];
  readonly peerConnection: PeerConnection;
}

/** The native object with some methods of ours: its own are fixed, and want it as `this`. */
function withMethods<T extends object>(native: T, methods: Partial<T>): T {
  return new Proxy(native, {
    get: (target, name) => {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
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
