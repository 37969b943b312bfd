/**
 * Real relays and agents on loopback, for tests, demos and outside tools.
 *
 * @packageDocumentation
 */
export { type Child, startChild } from './child.ts';
export {
  type AgentInfo,
  pair,
  type RelayInfo,
  type RunningAgent,
  type RunningRelay,
  startTestnet,
  type Testnet,
  type TestnetOptions,
} from './testnet.ts';
