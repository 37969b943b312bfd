/**
 * Real relays and agents on loopback, for tests, demos and outside tools.
 *
 * @packageDocumentation
 */
export { type Child, startChild } from './child.ts';
export { quantile, until } from './figures.ts';
export { loudNeighbour, type LoudFigures, measureLoudNeighbour } from './loud-neighbour.ts';
export { pair } from './pairing.ts';
export { someAtOnce } from './some-at-once.ts';
export {
  type AgentInfo,
  type RelayInfo,
  type RunningAgent,
  type RunningRelay,
  startTestnet,
  type Testnet,
  type TestnetOptions,
} from './testnet.ts';
