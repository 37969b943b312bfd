import { createIdentity, type Network, type Opened, type PeerId, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import {
  createMemoryNetworks,
  ManualClock,
  type MemoryNetworks,
  type MemoryStore,
  type MemoryWorld,
  memoryWorld,
  seededRandom,
} from '@peerai/core-protocol/testing';
import { createMessenger, type DeliveryReport, type PeerMessenger } from '../src/index.ts';
import { createMailboxKeeper, type Mailbox, type MailboxKeeper, openMailbox } from '../src/mailbox/index.ts';
import { createRouter, type Router } from '../src/route/index.ts';

const crypto = nodeCrypto;

export interface Place {
  readonly clock: ManualClock;
  readonly networks: MemoryNetworks;
}
export function place(options: { readonly lossRate?: number; readonly seed?: number } = {}): Place {
  const clock = new ManualClock();
  const random = seededRandom(options.seed ?? 99);
  return { clock, networks: createMemoryNetworks({ clock, random, ...options }) };
}

let lives = 0;
const relaysOf = (relays: readonly string[] | (() => readonly string[])): (() => readonly string[]) =>
  typeof relays === 'function' ? relays : () => relays;

/** One peer with a messenger and a room that its handler writes to. */
export interface MessageWorld extends MemoryWorld {
  readonly messenger: PeerMessenger;
  readonly outcomes: DeliveryReport[];
  /** Only where `relays` were given. */
  readonly mailbox: Mailbox | undefined;
  /** Only where `mayRoute` was given too. */
  readonly router: Router | undefined;
  /** What the handler of kind `text` has committed, in the order of its making. */
  texts(): Promise<string[]>;
  /** The process dies: nothing is said, nothing more is written. */
  die(): void;
  stop(): Promise<void>;
}

export async function messageWorld(
  seed: number,
  { clock, networks }: Place,
  options: {
    readonly store?: MemoryStore;
    readonly handle?: (message: Opened, signal: AbortSignal) => Promise<void>;
    readonly isGranted?: () => boolean;
    readonly hasHandler?: boolean;
    /** Addresses of relays to have a mailbox at. */
    readonly relays?: readonly string[] | (() => readonly string[]);
    readonly isFriend?: (peer: PeerId) => boolean;
    /** Peers that it forwards for; with it, the peer has routes. */
    readonly mayRoute?: (peer: PeerId) => boolean;
    /** Peers that take frames. */
    readonly hasFrames?: (peer: PeerId) => boolean;
    /** Around its network. */
    readonly over?: (network: Network) => Network;
  } = {},
): Promise<MessageWorld> {
  const { store, isGranted = () => true } = options;
  const identity = createIdentity(crypto, seededRandom(seed).bytes(32));
  // The key comes back after a restart, chance does not.
  lives += 1;
  const parts = { seed: seed * 1_000 + lives, identity, crypto, clock, networks, isGranted };
  const world = memoryWorld({ ...parts, ...(store === undefined ? {} : { store }) });
  const { relays, isFriend = () => true } = options;
  const about = () => ({ name: `peer ${seed}`, agent: 'test/1' });
  const mailbox =
    relays === undefined
      ? undefined
      : await openMailbox({ ...world, store: world.store.room('mailbox'), isFriend, relays: relaysOf(relays), about });
  const { mayRoute } = options;
  const router =
    mailbox === undefined || mayRoute === undefined
      ? undefined
      : createRouter({ ...world, records: mailbox.records, keyring: mailbox.keyring, isFriend, mayRoute });
  const { hasFrames, over = (network: Network) => network } = options;
  const messenger = createMessenger({
    ...world,
    network: over(world.network),
    ...(hasFrames === undefined ? {} : { hasFrames }),
    store: world.store.room('messages'),
    ...(mailbox === undefined ? {} : { depot: mailbox.depot }),
    carriers: router === undefined ? [] : [router.carrier],
  });
  const room = world.store.room('texts');
  const texts = async (): Promise<string[]> => {
    const values: string[] = [];
    for await (const { value } of room.range('', '\u{10ffff}')) values.push(new TextDecoder().decode(value));
    return values;
  };
  let count = (await texts()).length;
  const outcomes: DeliveryReport[] = [];
  messenger.deliveries((report) => void outcomes.push(report));
  if (options.hasHandler ?? true) {
    messenger.handle('text', async (message, signal) => {
      await options.handle?.(message, signal);
      count += 1;
      return [room.put(String(count).padStart(6, '0'), utf8(JSON.stringify(message.payload)))];
    });
  }
  const ending = new AbortController();
  await messenger.start(ending.signal);
  mailbox?.start(messenger, ending.signal);
  router?.start(messenger, ending.signal);
  return {
    ...world,
    messenger,
    mailbox,
    router,
    outcomes,
    texts,
    stop: async () => {
      await mailbox?.stop();
      await messenger.stop();
    },
    die: () => {
      networks.kill(world.identity.peer);
      ending.abort(new Error('killed'));
    },
  };
}

/** A relay with mailboxes, and the address it is reached at. */
export interface RelayWorld extends MemoryWorld {
  readonly keeper: MailboxKeeper;
  readonly address: string;
  die(): void;
}

export async function relayWorld(
  seed: number,
  { clock, networks }: Place,
  options: { readonly store?: MemoryStore; readonly totalBytesMax?: number } = {},
): Promise<RelayWorld> {
  const identity = createIdentity(crypto, seededRandom(seed).bytes(32));
  lives += 1;
  const { store, ...limits } = options;
  const parts = { seed: seed * 1_000 + lives, identity, crypto, clock, networks };
  const world = memoryWorld({ ...parts, ...(store === undefined ? {} : { store }) });
  const keeper = await createMailboxKeeper(world, limits);
  return {
    ...world,
    keeper,
    address: `/memory/0/p2p/${identity.peer}`,
    die: () => networks.kill(identity.peer),
  };
}
