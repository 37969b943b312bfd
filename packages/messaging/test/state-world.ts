import { createIdentity, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { type MemoryStore, type MemoryWorld, memoryWorld, seededRandom } from '@peerai/core-protocol/testing';
import { createMessenger, messageProtocol, type PeerMessenger } from '../src/index.ts';
import { type Changed, openStates, type States } from '../src/state/index.ts';
import type { Place } from './world.ts';

let lives = 0;

/** One peer with replicated state. */
export interface StateWorld extends MemoryWorld {
  readonly states: States;
  readonly messenger: PeerMessenger;
  readonly peer: PeerId;
  readonly changes: (readonly [id: string, changed: Changed])[];
  /** Everything of a document, to compare. */
  seen(id: string): Promise<{ readonly values: unknown; readonly text: string }>;
  /** The process dies: nothing is said, nothing more is written. */
  die(): void;
  stop(): Promise<void>;
}
export interface StateOptions {
  readonly store?: MemoryStore;
  readonly mayShare?: (peer: PeerId) => boolean;
  readonly groupMembers?: (group: string) => Promise<readonly PeerId[] | undefined>;
}

export async function stateWorld(
  seed: number,
  { clock, networks }: Place,
  { store, mayShare = () => true, groupMembers }: StateOptions = {},
): Promise<StateWorld> {
  const identity = createIdentity(nodeCrypto, seededRandom(seed).bytes(32));
  lives += 1;
  const parts = { seed: seed * 1_000 + lives, identity, crypto: nodeCrypto, clock, networks, isGranted: () => true };
  const world = memoryWorld({ ...parts, ...(store === undefined ? {} : { store }) });
  const messenger = createMessenger({ ...world, store: world.store.room('messages') });
  const changes: StateWorld['changes'] = [];
  const states = openStates({
    ...world,
    store: world.store.room('state'),
    messenger,
    mayShare,
    ...(groupMembers === undefined ? {} : { groupMembers }),
    changed: (id, changed) => void changes.push([id, changed]),
  });
  const ending = new AbortController();
  await states.start(ending.signal);
  await messenger.start(ending.signal);
  return {
    ...world,
    states,
    messenger,
    peer: identity.peer,
    changes,
    seen: async (id) => ({ values: await states.values(id), text: await states.text(id) }),
    stop: async () => {
      await states.stop();
      await messenger.stop();
    },
    die: () => {
      networks.kill(world.identity.peer);
      ending.abort(new Error('killed'));
    },
  };
}

/** A link between the two comes up, as a greeting would make it. */
export async function meet(a: StateWorld, b: StateWorld): Promise<void> {
  const channel = await a.network.open(b.peer, messageProtocol, { signal: new AbortController().signal });
  await channel.close();
}
