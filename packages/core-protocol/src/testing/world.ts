import { nobleCrypto } from '../crypto/noble.ts';
import { createIdentity, type Identity } from '../identity/identity.ts';
import type { CryptoProvider, LanguageModel, Network, World } from '../ports/index.ts';
import { ManualClock } from './clock.ts';
import { memoryDirectory } from './directory.ts';
import { silentLogger } from './logger.ts';
import { createMemoryNetworks, type JoinOptions, type MemoryNetworks } from './network.ts';
import { seededRandom } from './random.ts';
import { MemoryStore } from './store.ts';
import { memoryTopics } from './topics.ts';

export interface MemoryWorldOptions extends JoinOptions {
  /** Everything random in this world comes from it, the identity too. */
  readonly seed: number;
  /** Another world's, to live beside it: worlds that share `networks` should share its clock too. */
  readonly networks?: MemoryNetworks;
  readonly clock?: ManualClock;
  /** What an earlier life of this peer left. */
  readonly store?: MemoryStore;
  readonly identity?: Identity;
  readonly crypto?: CryptoProvider;
  readonly engines?: readonly LanguageModel[];
}
export interface MemoryWorld extends World {
  readonly clock: ManualClock;
  readonly store: MemoryStore;
  readonly network: Network;
  readonly networks: MemoryNetworks;
  readonly identity: Identity;
}

/**
 * A whole world for one peer, from one seed.
 *
 * @example
 * const a = memoryWorld({ seed: 1 });
 * const b = memoryWorld({ seed: 2, clock: a.clock, networks: a.networks });
 */
export function memoryWorld(options: MemoryWorldOptions): MemoryWorld {
  const { seed, crypto = nobleCrypto, clock = new ManualClock(), isGranted } = options;
  const random = seededRandom(seed);
  const identity = options.identity ?? createIdentity(crypto, random.bytes(32));
  const networks = options.networks ?? createMemoryNetworks({ clock, random });
  return {
    clock,
    random,
    crypto,
    identity,
    networks,
    store: options.store ?? new MemoryStore(),
    network: networks.join(identity.peer, isGranted === undefined ? {} : { isGranted }),
    topics: memoryTopics(networks, identity.peer),
    directory: memoryDirectory(networks, identity.peer, crypto),
    engines: options.engines ?? [],
    logger: silentLogger,
  };
}
