import { createIdentity, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { type MemoryStore, type MemoryWorld, memoryWorld, seededRandom } from '@peerai/core-protocol/testing';
import { type Groups, openGroups } from '../src/group/index.ts';
import { createMessenger, type PeerMessenger } from '../src/index.ts';
import type { Place } from './world.ts';

let lives = 0;

/** One peer with groups and a room that its messages are written to. */
export interface GroupWorld extends MemoryWorld {
  readonly groups: Groups;
  readonly messenger: PeerMessenger;
  /** What was taken, in the order of its taking. */
  taken(): Promise<string[]>;
  /** The process dies: nothing is said, nothing more is written. */
  die(): void;
  stop(): Promise<void>;
}

export async function groupWorld(
  seed: number,
  { clock, networks }: Place,
  options: { readonly store?: MemoryStore; readonly mayAdd?: () => boolean } = {},
): Promise<GroupWorld> {
  const identity = createIdentity(nodeCrypto, seededRandom(seed).bytes(32));
  lives += 1;
  const parts = { seed: seed * 1_000 + lives, identity, crypto: nodeCrypto, clock, networks, isGranted: () => true };
  const world = memoryWorld({ ...parts, ...(options.store === undefined ? {} : { store: options.store }) });
  const messenger = createMessenger({ ...world, store: world.store.room('messages') });
  const room = world.store.room('taken');
  const taken = async (): Promise<string[]> => {
    const values: string[] = [];
    for await (const { value } of room.range('', '\u{10ffff}')) values.push(new TextDecoder().decode(value));
    return values;
  };
  let count = (await taken()).length;
  const groups = openGroups({
    ...world,
    store: world.store.room('groups'),
    messenger,
    ...(options.mayAdd === undefined ? {} : { mayAdd: options.mayAdd }),
    take: async ({ payload }) => {
      count += 1;
      return [room.put(String(count).padStart(6, '0'), utf8(String(payload)))];
    },
  });
  const ending = new AbortController();
  await groups.start(ending.signal);
  await messenger.start(ending.signal);
  return {
    ...world,
    groups,
    messenger,
    taken,
    stop: async () => {
      await groups.stop();
      await messenger.stop();
    },
    die: () => {
      networks.kill(world.identity.peer);
      ending.abort(new Error('killed'));
    },
  };
}
