/**
 * Nodes that need Node: TCP, mDNS and a relay's shared HTTP port.
 *
 * @packageDocumentation
 */
import type { TransportDeps, TransportNode } from '../libp2p/options.ts';
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
