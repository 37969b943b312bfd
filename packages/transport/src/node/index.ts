/**
 * Nodes that need Node: TCP, mDNS and a relay's shared HTTP port.
 *
 * @packageDocumentation
 */
export { type AgentOptions, createAgentNode, mdnsServiceTag } from './agent.ts';
export type { IceServers } from '../nat/servers.ts';
export { createRelayNode, type RelayLimits, type RelayOptions } from './relay.ts';
export { readNetworkKey } from '../policy/network-key.ts';
