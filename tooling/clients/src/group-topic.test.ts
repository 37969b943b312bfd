import { createIdentity, fromBase64Url, nobleCrypto as crypto, toHex, utf8 } from '@peerai/core-protocol';
import { MemoryStore, silentLogger as logger } from '@peerai/core-protocol/testing';
import { createPeer, type Peer } from '@peerai/peer';
import { createTestNodes, realClock as clock, realRandom as random, until } from '@peerai/transport/testing';
import { afterAll, expect, test } from 'vitest';

const nodes = createTestNodes();
const peers: Peer[] = [];
afterAll(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.stop()));
  await nodes.stopAll();
}, 30_000);

type Node = Awaited<ReturnType<typeof nodes.agent>>;
interface Member {
  readonly peer: Peer;
  readonly node: Node;
  readonly id: string;
}

/** A whole peer over real sockets, linked to these and to whom it pairs with. */
async function member(name: string, bootstrap: readonly string[] = []): Promise<Member> {
  const seed = random.bytes(32);
  let peer: Peer | undefined;
  const node = await nodes.agent(
    { bootstrap },
    { seed, isGranted: (id, protocol) => peer?.isGranted(id, protocol) ?? false },
  );
  const identity = createIdentity(crypto, seed);
  const world = { clock, random, crypto, logger, identity, store: new MemoryStore(), network: node.network };
  peer = await createPeer(
    { ...world, topics: node.topics, engines: () => [], findings: () => [], api: () => '' },
    {
      name,
      version: '0.0.0',
      home: '/nowhere',
      relays: [],
      share: { forMs: 3_600_000, tokens: 20_000, guests: 3, concurrency: 1 },
      expose: [],
      concurrency: 1,
      queueLength: 1,
    },
  );
  peers.push(peer);
  await peer.start();
  return { peer, node, id: identity.peer };
}
const soon = (): AbortSignal => AbortSignal.timeout(30_000);
async function eventually(look: () => Promise<boolean>): Promise<void> {
  for (const end = soon(); !(await look()); await clock.sleep(50)) end.throwIfAborted();
}
/** What came of messages on a topic at a node: gossip's own counts. */
const countsAt = ({ node }: Pick<Member, 'node'>, topic: string) =>
  (
    node.topics as unknown as { readonly guard: { counts(topic: string): { accepted: number; rejected: number } } }
  ).guard.counts(`peerai/1/${topic}`);

test('members that are linked but not paired decide over gossip, through each other, and garbage ends at the first of them', async () => {
  const hub = await member('hub');
  const middle = await member('middle');
  // The ends know only the middle, and whoever invited them.
  const ends = [
    await member('left', middle.node.network.addresses()),
    await member('right', middle.node.network.addresses()),
  ];
  const [left, right] = ends as [Member, Member];
  const others = [middle, left, right];
  for (const { peer } of others) {
    const { link } = await hub.peer.pairing.invite(['chat']);
    const pending = await peer.pairing.join(link, soon());
    await hub.peer.pairing.accept(pending.id);
    await eventually(async () => peer.peers.list().some(({ peerId }) => peerId === hub.id));
  }
  await hub.peer.governance.create('village', ['middle', 'left', 'right']);
  for (const { peer } of others) {
    await eventually(async () => (await peer.governance.list()).groups.length === 1);
    await peer.governance.join('village');
  }
  const show = ({ peer }: Member) => peer.governance.show('village');
  await hub.peer.stop();
  await hub.node.stop();

  const wish = { title: 'paint it', text: '', action: { type: 'text' as const }, openMs: 60_000, secret: false };
  const { proposal } = await left.peer.governance.propose('village', wish, soon());
  for (const one of others) {
    await eventually(async () => (await show(one)).proposals.length === 1);
    await one.peer.governance.vote('village', proposal, 'yes', soon());
  }
  for (const one of others)
    await eventually(async () =>
      (await show(one)).decisions.some(({ id, result }) => id === proposal && result === 'accepted'),
    );
  const seen = (await show(left)).group.members.filter(({ topic }) => topic).map(({ peerId }) => peerId);
  expect(seen.toSorted()).toEqual([middle.id, right.id].toSorted());

  // By what docs/protocol/agreement-topic.md says, since whoever knows the topic's name may publish on it.
  const { genesis } = await left.peer.governance.chain('village', 1);
  const name = crypto.hkdfSha256(fromBase64Url(genesis), utf8('peerai/agreement-topic/1'), utf8('name'), 32);
  const topic = `sealed/${toHex(name)}`;
  const stranger = { node: await nodes.agent({ bootstrap: middle.node.network.addresses() }) };
  stranger.node.topics.subscribe(topic, () => 'ignore', soon());
  const before = countsAt(right, topic);
  await until(() => {
    void stranger.node.topics.publish(topic, random.bytes(200)).catch(() => undefined);
    return countsAt(middle, topic).rejected >= 5;
  }, 30_000);
  expect(before.accepted).toBeGreaterThan(0);
  expect(countsAt(right, topic).rejected).toBe(before.rejected);
  const again = await right.peer.governance.propose('village', { ...wish, title: 'again' }, soon());
  await eventually(async () => (await show(left)).proposals.some(({ id }) => id === again.proposal));
}, 60_000);
