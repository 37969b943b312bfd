import { type GovernancePropose, governanceProposeSchema } from '../governance/governance.schema.ts';
import { type PeerOptions, type TestPeer, testWorld, type TestWorld } from './peers.ts';
import { live, until } from './steps.ts';

/** Peers that are all paired with each other, in a group named `village` that all have joined. */
export interface Village {
  readonly world: TestWorld;
  /** The group's. */
  readonly id: string;
  /** Peer `p<index>`. */
  readonly at: (index: number) => TestPeer;
  /** One more peer that nobody knows, or one that comes back: with the seed and store of before. */
  readonly peer: (name: string, options: PeerOptions) => Promise<TestPeer>;
  readonly stop: () => Promise<void>;
}

/** @param optionsOf - of each member beside its seed, which is its place and one. */
export async function village(
  count: number,
  optionsOf: (index: number) => PeerOptions = () => ({}),
  world: TestWorld = testWorld(),
): Promise<Village> {
  const started = new Map<string, TestPeer>();
  /** Its room is loaded: that takes real time, of which the test's clock knows nothing. */
  const peer = async (name: string, options: PeerOptions): Promise<TestPeer> => {
    const one = await world.peer(name, options);
    await one.peer.governance.list();
    started.set(name, one);
    return one;
  };
  const all: TestPeer[] = [];
  for (let index = 0; index < count; index += 1)
    all.push(await peer(`p${index}`, { seed: index + 1, engine: index === 0, ...optionsOf(index) }));
  for (const [index, one] of all.entries()) for (const other of all.slice(index + 1)) await acquaint(world, one, other);
  const at = (index: number): TestPeer => {
    const found = started.get(`p${index}`);
    if (found === undefined) throw new Error('nobody');
    return found;
  };
  const members = Array.from({ length: count - 1 }, (_, index) => `p${index + 1}`);
  const { group } = await world.clock.until(at(0).peer.governance.create('village', members));
  for (const one of all.slice(1)) {
    await until(world.clock, async () => (await one.peer.governance.list()).groups.length === 1);
    await world.clock.until(one.peer.governance.join('village'));
  }
  return {
    world,
    id: group.id,
    at,
    peer,
    async stop() {
      for (const one of started.values()) await one.peer.stop();
    },
  };
}

export async function acquaint(world: TestWorld, one: TestPeer, other: TestPeer): Promise<void> {
  const { link } = await one.peer.pairing.invite(['chat']);
  const pending = await world.clock.until(other.peer.pairing.join(link, live()));
  await world.clock.until(one.peer.pairing.accept(pending.id));
  await until(world.clock, () => other.peer.peers.list().some(({ peerId }) => peerId === one.identity.peer));
}

/** @returns the proposal's id. */
export async function propose(
  world: TestWorld,
  { peer }: TestPeer,
  more: Partial<GovernancePropose> = {},
): Promise<string> {
  const wish = { title: 'paint it', action: { type: 'text' as const }, openMs: 60_000, ...more };
  const said = peer.governance.propose('village', governanceProposeSchema.parse(wish), live());
  return (await world.clock.until(said)).proposal;
}

export const show = ({ peer }: TestPeer) => peer.governance.show('village');

/** Each says `yes`, or what `choiceOf` names, once it knows the only open proposal. */
export async function voteAll(
  world: TestWorld,
  all: readonly TestPeer[],
  id: string,
  choiceOf: (index: number) => 'yes' | 'no' = () => 'yes',
): Promise<void> {
  for (const [index, one] of all.entries()) {
    await until(world.clock, async () => (await show(one)).proposals.length === 1);
    await world.clock.until(one.peer.governance.vote('village', id, choiceOf(index), live()));
  }
}
