/**
 * Nodes that need Node: TCP, mDNS and a relay's shared HTTP port.
 *
 * @packageDocumentation
 */
import type { TransportDeps, TransportNode } from '../libp2p/options.ts';
import type { SignalNode, SignalNodeOptions } from '../links/signal/node.ts';
import type { RelayOptions } from './relay.ts';

export { type AgentOptions, createAgentNode, mdnsServiceTag } from './agent.ts';
export type { IceServers } from '../nat/servers.ts';
export type { RelayLimits, RelayOptions } from './relay.ts';
export { readNetworkKey } from '../policy/network-key.ts';

/** Bootstrap node, circuit relay and WebRTC signalling; loaded when it is asked for, since an agent is none. Throws UNSAFE_ENVIRONMENT. */
export async function createRelayNode(deps: TransportDeps, options: RelayOptions): Promise<TransportNode> {
  const { createRelayNode: create } = await import('./relay.ts');
  return create(deps, options);
}

/** `createSignalNode` for Node, with native WebRTC and without STUN or TURN servers; loaded when it is asked for. Throws INVALID_FORMAT (device id, seed). */
export async function createNativeSignalNode(
  deps: TransportDeps,
  options: Omit<SignalNodeOptions, 'iceServers'>,
): Promise<SignalNode> {
  const [{ assembleSignalNode }, { nativeMeetings }, { freesNative }] = await Promise.all([
    import('../links/signal/node.ts'),
    import('../links/signal/native-meetings.ts'),
    import('./native-webrtc.ts'),
  ]);
  const node = await assembleSignalNode(deps, options, nativeMeetings());
  return { ...freesNative(node), signalling: node.signalling };
}
