import {
  createIdentity,
  type Identity,
  type Network,
  nobleCrypto,
  type Paths,
  type Runtime,
  type Store,
  type Topics,
} from '@peerai/core-protocol';
import { decodeTicket, parseLink } from '@peerai/core-protocol/access';
import {
  createMemoryNetworks,
  ManualClock,
  type MemoryNetworks,
  type MemoryShelf,
  MemoryStore,
  memoryTopics,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { type Engine, scriptedEngine } from '@peerai/llm-bridge';
import type { HttpPost } from '@peerai/messaging/http';
import { createGuest, type Guest } from '../guest/index.ts';
import type { MachineReading } from '../lending/gauge.ts';
import type { UseRelays } from '../links/relays.ts';
import type { ModelRunner } from '../models/imported/runner.ts';
import { createPeer, type Peer, type PeerSettings } from '../peer.ts';
import type { ChainWorld } from '../settlement/chain-world.ts';
import type { TaskHandler } from '../tasks/task-handler.ts';
import { slowStore } from './slow-store.ts';

export interface PeerOptions {
  readonly seed?: number;
  /** Its key's 32 bytes, instead of those that follow from `seed`. */
  readonly key?: Uint8Array;
  readonly replaceKey?: (key: Uint8Array) => Promise<void>;
  readonly store?: MemoryStore;
  /** Without one it keeps no files. */
  readonly shelf?: MemoryShelf;
  /** How late each commit is, milliseconds. */
  readonly commitMs?: number;
  /** What a test puts before the disk. */
  readonly disk?: (store: Store) => Store;
  /** What a test puts before gossip. */
  readonly gossip?: (topics: Topics) => Topics;
  readonly engine?: boolean;
  readonly engines?: readonly Engine[];
  readonly settings?: Partial<PeerSettings>;
  readonly taskHandlers?: readonly TaskHandler[];
  /** What computes when it trains; without it nothing does. */
  readonly trainingRuntime?: () => Promise<Runtime>;
  /** The shipped guide's file. */
  readonly nanoFile?: (signal: AbortSignal) => Promise<Uint8Array>;
  /** What runs model files; without it nothing does. */
  readonly modelRunner?: ModelRunner;
  /** What its machine says of itself; without it nothing. */
  readonly machine?: () => MachineReading;
  /** Where its leases can be settled; without it in the books. */
  readonly chain?: ChainWorld;
  /** Where its letters by HTTP go; without it none. */
  readonly post?: HttpPost;
  readonly operators?: () => Promise<readonly string[]>;
  /** Places on relays this peer has now; multiaddrs up to `/p2p-circuit`. */
  readonly circuits?: () => readonly string[];
  /** What dialling anybody fails with now. */
  readonly unreachable?: () => Error | undefined;
  /** How attempts at others went. */
  readonly paths?: Paths;
  /** Keeps relays that groups have named; without it the peer cannot. */
  readonly useRelays?: UseRelays;
  /** False: made, but not started. */
  readonly start?: boolean;
}
/** Peers of one test: a memory network, one clock a test moves. */
export interface TestWorld {
  readonly clock: ManualClock;
  readonly networks: MemoryNetworks;
  /** A started peer with the scripted engine; the same `store` and `seed` again is the same peer restarted. */
  peer(name: string, options?: PeerOptions): Promise<TestPeer>;
  /** Somebody with a share link; the same `store` and `seed` again is the same tab reloaded. */
  guest(link: string, options?: { readonly seed?: number; readonly store?: MemoryStore }): Promise<TestGuest>;
  /** As kill -9: no more network, no more commits; `peer` with its seed and store brings it back. */
  kill(who: TestPeer | TestGuest): MemoryStore;
}
export interface TestPeer {
  readonly peer: Peer;
  readonly identity: Identity;
  readonly store: MemoryStore;
}
export interface TestGuest {
  readonly guest: Guest;
  readonly identity: Identity;
  readonly store: MemoryStore;
}

const settingsOf = (name: string): PeerSettings => ({
  name,
  version: '0.0.0',
  home: '/nowhere',
  relays: [],
  pageUrl: 'https://page.example/s',
  share: { forMs: 7_200_000, tokens: 20_000, guests: 3, concurrency: 1 },
  expose: ['*'],
  concurrency: 2,
  queueLength: 8,
});

/** @param weather - one-way latency of each line, milliseconds; the chance that a message kills its channel. */
export function testWorld(weather: { readonly latencyMs?: number; readonly lossRate?: () => number } = {}): TestWorld {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(99), ...weather });
  const lives = new Map<string, { alive: boolean }>();
  let nextSeed = 1;
  let livesSoFar = 0;
  const someone = (options: Pick<PeerOptions, 'seed' | 'key' | 'store' | 'commitMs' | 'disk'>) => {
    const seed = options.seed ?? nextSeed++;
    const identity = createIdentity(nobleCrypto, options.key ?? seededRandom(seed).bytes(32));
    // Who comes back is the same peer with other luck.
    livesSoFar += 1;
    const random = seededRandom(seed * 1_000 + livesSoFar);
    const store = options.store ?? new MemoryStore();
    const life = { alive: true };
    lives.set(identity.peer, life);
    const slow = options.commitMs === undefined ? store : slowStore(store, clock, options.commitMs);
    const disk = options.disk?.(slow) ?? slow;
    return { random, identity, store, disk: mortalStore(disk, life), clock, crypto: nobleCrypto };
  };
  return {
    clock,
    networks,
    async peer(name, options = {}) {
      const { store, disk, ...world } = someone(options);
      const { identity } = world;
      let granted: Peer | undefined;
      const isGranted = (peer: Parameters<Peer['isGranted']>[0], { id }: { readonly id: string }): boolean =>
        granted?.isGranted(peer, id) ?? false;
      const network = dialled(networks.join(identity.peer, { isGranted }), options);
      const engines = options.engine === false ? [] : (options.engines ?? [scriptedEngine({ clock })]);
      const parts = {
        logger: silentLogger,
        engines: () => engines,
        findings: () => [],
        api: () => 'http://127.0.0.1:8006',
        taskHandlers: options.taskHandlers ?? [],
        topics: (options.gossip ?? ((topics: Topics) => topics))(memoryTopics(networks, identity.peer)),
        ...(options.useRelays === undefined ? {} : { useRelays: options.useRelays }),
        ...(options.paths === undefined ? {} : { paths: options.paths }),
        ...(options.shelf === undefined ? {} : { shelf: options.shelf }),
        ...(options.trainingRuntime === undefined ? {} : { trainingRuntime: options.trainingRuntime }),
        ...(options.nanoFile === undefined ? {} : { nanoFile: options.nanoFile }),
        ...(options.modelRunner === undefined ? {} : { modelRunner: options.modelRunner }),
        ...(options.machine === undefined ? {} : { machine: options.machine }),
        ...(options.chain === undefined ? {} : { chain: options.chain }),
        ...(options.post === undefined ? {} : { post: options.post }),
        ...(options.operators === undefined ? {} : { operators: options.operators }),
        ...(options.replaceKey === undefined ? {} : { replaceKey: options.replaceKey }),
      };
      const peer = await createPeer(
        { ...world, ...parts, store: disk, network },
        { ...settingsOf(name), ...options.settings },
      );
      granted = peer;
      // On a slow disk what a start writes takes its time.
      if (options.start !== false) await (options.commitMs === undefined ? peer.start() : clock.until(peer.start()));
      return { peer, identity, store };
    },
    async guest(link, options = {}) {
      const { store, disk, ...world } = someone(options);
      const network = networks.join(world.identity.peer);
      const guest = await createGuest(
        { ...world, store: disk, network },
        world.identity,
        decodeTicket(nobleCrypto, parseTicket(link)),
      );
      return { guest, identity: world.identity, store };
    },
    kill({ identity, store }) {
      const life = lives.get(identity.peer);
      if (life !== undefined) life.alive = false;
      networks.kill(identity.peer);
      return store.reopen();
    },
  };
}

function parseTicket(link: string): string {
  const parsed = parseLink(link);
  if (parsed.kind !== 'share') throw new TypeError('this test meant a share link');
  return parsed.ticket;
}

/** With an address that a browser could dial, as share links need one. */
function dialled(network: Network, { circuits = () => [], unreachable = () => undefined }: PeerOptions): Network {
  return {
    self: network.self,
    addresses: () => [...circuits(), '/ip4/192.0.2.1/tcp/4002/ws'].map((address) => `${address}/p2p/${network.self}`),
    async open(peer, protocol, options) {
      const error = unreachable();
      if (error !== undefined) throw error;
      return network.open(peer, protocol, options);
    },
    answer: (protocol, handler) => network.answer(protocol, handler),
    links: (signal) => network.links(signal),
    disconnect: (peer) => network.disconnect(peer),
  };
}

/** A dead process writes nothing any more, whatever its promises still want. */
function mortalStore(store: Store, life: { readonly alive: boolean }): Store {
  return {
    get: (key) => store.get(key),
    range: (from, to, options) => store.range(from, to, options),
    put: (key, value) => store.put(key, value),
    room: (name) => mortalStore(store.room(name), life),
    commit: (changes) => (life.alive ? store.commit(changes) : new Promise(() => undefined)),
  };
}
