import { createIdentity, type Identity, nobleCrypto } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, type MemoryNetworks, MemoryStore, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { type Engine, scriptedEngine } from '@peerai/llm-bridge';
import { createPeer, type Peer, type PeerSettings } from '../peer.ts';

/** Peers of one test: a memory network, one clock a test moves. */
export interface TestWorld {
  readonly clock: ManualClock;
  readonly networks: MemoryNetworks;
  /** A started peer with the scripted engine; the same `store` and `seed` again is the same peer restarted. */
  peer(name: string, options?: { readonly seed?: number; readonly store?: MemoryStore; readonly engine?: boolean; readonly settings?: Partial<PeerSettings> }): Promise<TestPeer>;
}
export interface TestPeer {
  readonly peer: Peer;
  readonly identity: Identity;
  readonly store: MemoryStore;
}

export function testWorld(): TestWorld {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(99) });
  let nextSeed = 1;
  return {
    clock,
    networks,
    async peer(name, options = {}) {
      const random = seededRandom(options.seed ?? nextSeed++);
      const identity = createIdentity(nobleCrypto, random.bytes(32));
      const store = options.store ?? new MemoryStore();
      let granted: Peer | undefined;
      const network = networks.join(identity.peer, { isGranted: (peer, { id }) => granted?.isGranted(peer, id) ?? false });
      const engines: Engine[] = options.engine === false ? [] : [scriptedEngine({ clock })];
      const world = { identity, clock, random, crypto: nobleCrypto, store, network, logger: silentLogger, engines: () => engines, findings: () => [], api: () => 'http://127.0.0.1:8006' };
      const peer = await createPeer(world, {
        name,
        version: '0.0.0',
        home: '/nowhere',
        relays: [],
        pageUrl: 'https://page.example/s',
        share: { forMs: 7_200_000, tokens: 20_000, guests: 3, concurrency: 1 },
        expose: ['*'],
        concurrency: 2,
        queueLength: 8,
        ...options.settings,
      });
      granted = peer;
      await peer.start();
      return { peer, identity, store };
    },
  };
}

/** Lets everything that is ready run, moving time in small steps, until the condition holds; fails after ten (test) seconds. */
export async function until<T>(clock: ManualClock, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let step = 0; step < 200; step += 1) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await clock.advance(50);
  }
  throw new Error('the condition did not come true within ten seconds of the test clock');
}
