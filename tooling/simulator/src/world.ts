import {
  type Change,
  createIdentity,
  type Identity,
  type Network,
  type PeerId,
  relayInfoMethod,
  serveMethod,
} from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { decodeTicket, parseLink } from '@peerai/core-protocol/access';
import {
  createMemoryNetworks,
  ManualClock,
  type MemoryNetworks,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { scriptedEngine } from '@peerai/llm-bridge';
import { createMailboxKeeper } from '@peerai/messaging/mailbox';
import { createPeer, type Peer, type TaskHandler } from '@peerai/peer';
import { createGuest, type Guest } from '@peerai/peer/guest';
import { createDice } from './dice.ts';
import { createDisk, type Disk, type Mutant } from './disk.ts';
import { type SkewedClock, skewed } from './skew.ts';

/** One machine: its key and disk stay, its process comes and goes. */
export interface Player {
  readonly name: string;
  readonly identity: Identity;
  readonly disk: Disk;
  /** Its wall clock goes wrong, as those of real machines do. */
  readonly clock: SkewedClock;
  lives: number;
  peer: Peer | undefined;
}
/** A relay that keeps letters for all players; as a machine it dies and comes back as they do. */
export interface Post {
  readonly identity: Identity;
  readonly disk: Disk;
  readonly clock: SkewedClock;
  lives: number;
  isUp: boolean;
}
/** One browser tab with one link. */
export interface Visitor {
  readonly name: string;
  readonly identity: Identity;
  readonly disk: Disk;
  readonly clock: SkewedClock;
  readonly owner: Player;
  readonly link: string;
  lives: number;
  guest: Guest;
}
/** Time, network, disks and everybody in it. */
export interface SimulatedWorld {
  readonly clock: ManualClock;
  readonly networks: MemoryNetworks;
  readonly players: readonly Player[];
  readonly visitors: Visitor[];
  readonly relay: Post;
  /** From now on no message kills its channel. */
  calm(): void;
  start(player: Player): Promise<void>;
  kill(player: Player): Promise<void>;
  startRelay(): Promise<void>;
  killRelay(): Promise<void>;
  /** A new tab opens the link. */
  visit(owner: Player, link: string): Promise<Visitor>;
  /** The tab is closed in the middle of whatever it does, and opened again. */
  reload(visitor: Visitor): Promise<void>;
}

export interface WorldOptions {
  readonly seed: number;
  readonly peers: number;
  /** Chance that a message kills its channel. */
  readonly lossRate: number;
  readonly mutant: Mutant | undefined;
  /** Hears of all that comes onto a disk. */
  readonly written: (name: string, changes: readonly Change[]) => void;
  /** Who does tasks, for each player by its name. */
  readonly handlers: (name: string, clock: SkewedClock) => readonly TaskHandler[];
}
/** The relay's name beside those of the players. */
export const relayName = 'relay';

export function createWorld({ seed, peers, lossRate, mutant, written, handlers }: WorldOptions): SimulatedWorld {
  const clock = new ManualClock();
  const dice = createDice(seed ^ 0x5eed);
  const lines = new Map<string, number>();
  const latencyMs = (from: PeerId, to: PeerId): number => {
    const line = [from, to].sort().join(' ');
    const known = lines.get(line) ?? 1 + dice.below(60);
    lines.set(line, known);
    return known;
  };
  let isCalm = false;
  const loss = (): number => (isCalm ? 0 : lossRate);
  const networks = createMemoryNetworks({ clock, random: seededRandom(seed + 1), latencyMs, lossRate: loss });
  const someone = (name: string, place: number) => ({
    name,
    identity: createIdentity(nodeCrypto, seededRandom(seed * 1_000 + place).bytes(32)),
    disk: createDisk({ clock, dice, mutant, written: (changes) => written(name, changes) }),
    clock: skewed(clock),
    lives: 0,
  });
  const luck = (place: number, lives: number) => seededRandom(seed * 1_000_000 + place * 1_000 + lives);
  const players: Player[] = Array.from({ length: peers }, (_, place) => ({
    ...someone(`peer-${place}`, place),
    peer: undefined,
  }));
  const relay: Post = { ...someone(relayName, 499), isUp: false };
  const relayAddress = `/ip4/192.0.2.9/tcp/4101/p2p/${relay.identity.peer}`;
  const visitors: Visitor[] = [];
  const open = async (visitor: Omit<Visitor, 'guest'>, place: number): Promise<Guest> => {
    const parsed = parseLink(visitor.link);
    if (parsed.kind !== 'share') throw new TypeError('a share link was expected');
    const network = networks.join(visitor.identity.peer);
    const world = {
      clock: visitor.clock,
      random: luck(place, visitor.lives),
      crypto: nodeCrypto,
      store: visitor.disk.open(),
      network,
    };
    return clock.until(createGuest(world, visitor.identity, decodeTicket(nodeCrypto, parsed.ticket)));
  };
  return {
    clock,
    networks,
    players,
    visitors,
    relay,
    calm: () => void (isCalm = true),
    async start(player) {
      player.lives += 1;
      const { identity, name } = player;
      let started: Peer | undefined;
      const joined = networks.join(identity.peer, {
        isGranted: (peer, { id }) => started?.isGranted(peer, id) ?? false,
      });
      const making = createPeer(
        {
          identity,
          clock: player.clock,
          crypto: nodeCrypto,
          logger: silentLogger,
          random: luck(players.indexOf(player), player.lives),
          store: player.disk.open(),
          network: dialled(joined),
          engines: () => [scriptedEngine({ clock: player.clock })],
          findings: () => [],
          api: () => 'http://127.0.0.1:8006',
          taskHandlers: handlers(name, player.clock),
        },
        settingsOf(name, relayAddress),
      );
      started = await clock.until(making);
      await clock.until(started.start());
      player.peer = started;
    },
    async kill(player) {
      const dead = player.peer;
      player.peer = undefined;
      networks.kill(player.identity.peer);
      await player.disk.kill();
      // Neither its network nor its disk hears it any more; this only ends its timers.
      void dead?.stop().catch(() => undefined);
    },
    async startRelay() {
      relay.lives += 1;
      const network = networks.join(relay.identity.peer);
      const random = luck(499, relay.lives);
      const parts = { network, clock: relay.clock, random, crypto: nodeCrypto };
      await clock.until(createMailboxKeeper({ ...parts, store: relay.disk.open() }));
      serveMethod(
        network,
        relayInfoMethod,
        async () => ({ name: relayName, version: '0.0.0', pageUrl: undefined, addresses: [] }),
        parts,
      );
      relay.isUp = true;
    },
    async killRelay() {
      relay.isUp = false;
      networks.kill(relay.identity.peer);
      await relay.disk.kill();
    },
    async visit(owner, link) {
      const place = 500 + visitors.length;
      const visitor = { ...someone(`guest-${visitors.length}`, place), owner, link };
      const complete: Visitor = { ...visitor, guest: await open(visitor, place) };
      visitors.push(complete);
      return complete;
    },
    async reload(visitor) {
      networks.kill(visitor.identity.peer);
      await visitor.disk.kill();
      visitor.lives += 1;
      visitor.guest = await open(visitor, 500 + visitors.indexOf(visitor));
    },
  };
}

const settingsOf = (name: string, relay: string) => ({
  name,
  version: '0.0.0',
  home: '/nowhere',
  relays: [relay],
  pageUrl: 'https://page.example/s',
  share: { forMs: 7_200_000, tokens: 400, guests: 3, concurrency: 2 },
  expose: ['*'],
  concurrency: 2,
  queueLength: 8,
});

/** With an address that a browser could dial, as share links need one. */
function dialled(network: Network): Network {
  return {
    self: network.self,
    addresses: () => [`/ip4/192.0.2.1/tcp/4002/ws/p2p/${network.self}`],
    open: (peer, protocol, options) => network.open(peer, protocol, options),
    answer: (protocol, handler) => network.answer(protocol, handler),
    links: (signal) => network.links(signal),
    disconnect: (peer) => network.disconnect(peer),
  };
}
