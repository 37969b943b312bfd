import { createIdentity, nobleCrypto } from '@peerai/core-protocol';
import { assembleNode } from '../../libp2p/assemble.ts';
import type { TransportDeps, TransportNode } from '../../libp2p/options.ts';
import { limits as nodeLimits } from '../../limits.ts';
import { type BrowserConnection, browserMeetings } from './browser-meetings.ts';
import type { Meetings } from './meeting.ts';
import { createSignalling, type Signalling } from './signalling.ts';
import { signalAddress, signalTransport } from './transport.ts';

export interface SignalNodeOptions {
  /** Under which name this device is at the relay; 1 to 128 of `A-Z a-z 0-9 _ . : -`. */
  readonly deviceId: string;
  /** STUN and TURN servers, as browsers take them; none unless said. */
  readonly iceServers?: readonly object[];
  readonly maxConnections?: number;
  readonly connectionTimeoutMs?: number;
}

/** A node that is reached by signalling alone, and its place there. */
export interface SignalNode extends TransportNode {
  readonly signalling: Signalling;
}

/** For a page: its links are WebRTC data channels of the browser. Throws INVALID_FORMAT (device id, seed). */
export function createSignalNode(deps: TransportDeps, options: SignalNodeOptions): Promise<SignalNode> {
  const connect = (): BrowserConnection => {
    const { RTCPeerConnection: Browser } = globalThis as unknown as {
      readonly RTCPeerConnection: new (configuration: object) => BrowserConnection;
    };
    return new Browser({ iceServers: options.iceServers ?? [] });
  };
  return assembleSignalNode(deps, options, browserMeetings(deps.clock, connect));
}

export async function assembleSignalNode(
  deps: TransportDeps,
  options: SignalNodeOptions,
  meetings: Meetings,
): Promise<SignalNode> {
  const { connectionTimeoutMs = nodeLimits.connectionTimeoutMs, maxConnections = nodeLimits.connectionsMax } = options;
  const identity = createIdentity(deps.crypto ?? nobleCrypto, deps.seed);
  const signalling = createSignalling({ ...deps, identity }, options.deviceId);
  const node = await assembleNode(deps, {
    listen: [signalAddress],
    transports: [signalTransport({ ...deps, signalling, meetings })],
    relays: [],
    bootstrap: [],
    maxConnections,
    connectionTimeoutMs,
    dialAddressMs: connectionTimeoutMs,
    placesOf: async (peer) => {
      const device = signalling.deviceOf(peer);
      return device !== undefined && signalling.isHere(device.deviceId) ? [`${signalAddress}/p2p/${peer}`] : [];
    },
    directOnly: false,
    webrtc: false,
  });
  return {
    ...node,
    signalling,
    async stop() {
      signalling.leave();
      await node.stop();
    },
  };
}
