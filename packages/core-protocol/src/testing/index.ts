/**
 * Another world, for tests: time that a test moves, randomness from a seed, a store, a network and topics in memory, and the contract
 * suites that every other implementation of those ports runs too (they need vitest).
 *
 * @packageDocumentation
 */
export { ManualClock, settle } from './clock.ts';
export { cryptoContract } from './contracts/crypto.ts';
export { networkContract, type NetworkPair } from './contracts/network.ts';
export { shelfContract, type ShelfUnderTest } from './contracts/shelf.ts';
export { storeContract, type StoreUnderTest } from './contracts/store.ts';
export { topicsContract, type TopicsPair } from './contracts/topics.ts';
export { memoryDirectory } from './directory.ts';
export { silentLogger } from './logger.ts';
export { createMemoryNetworks, type JoinOptions, type MemoryNetworks, type MemoryNetworksOptions } from './network.ts';
export { mutated, type MutationsRead, readMutated } from './mutated.ts';
export { seededRandom } from './random.ts';
export { sessionHands, sessionPair, type SessionPairOptions } from './session-pair.ts';
export { MemoryShelf } from './shelf.ts';
export { MemoryStore } from './store.ts';
export { memoryTopics } from './topics.ts';
export { memoryWorld, type MemoryWorld, type MemoryWorldOptions } from './world.ts';
