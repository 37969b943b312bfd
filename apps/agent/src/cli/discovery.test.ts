import type { CrawlView, FoundView, NodeView } from '@peerai/peer/control';
import { afterEach, expect, test, vi } from 'vitest';
import { type Agent, homes, up } from '../../test/cli.ts';

const folders = homes();
const agents: Agent[] = [];
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.end()));
  folders.remove();
});

async function started(env: Readonly<Record<string, string>>): Promise<Agent> {
  const agent = await up(folders.make(), { env });
  agents.push(agent);
  return agent;
}

async function addressOf(agent: Agent): Promise<string> {
  const { node } = await agent.json<{ node: NodeView }>(['status']);
  const address = node.addresses.find((one) => /\/tcp\/\d+\/p2p\//u.test(one));
  if (address === undefined) throw new Error('it listens on no TCP port');
  return address;
}

const find = async (agent: Agent, model: string): Promise<FoundView['peers']> =>
  (await agent.json<FoundView>(['models', 'find', model])).peers;

const eventually = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { timeout: 60_000, interval: 500 });

test.each(['dht', 'pex'])(
  'agents that know one address and never met find who serves a model through %s',
  { timeout: 120_000 },
  async (way) => {
    const on = { [`PEERAI_NETWORK__DISCOVERY__${way.toUpperCase()}`]: 'true' };
    const first = await started(on);
    const env = { ...on, PEERAI_NETWORK__BOOTSTRAP_NODES: await addressOf(first) };
    const [other, mute] = await Promise.all([
      started({ ...env, PEERAI_NETWORK__DISCOVERY__TELLS: 'models' }),
      started({ ...env, PEERAI_NETWORK__DISCOVERY__TELLS: '[]' }),
    ]);
    const asker = await started(env);
    const peers = await eventually(async () => {
      const found = await find(asker, 'echo');
      expect(found.map(({ peerId }) => peerId).sort()).toEqual([first.info.peerId, other.info.peerId].sort());
      return found;
    });
    expect(peers.map(({ peerId }) => peerId)).not.toContain(mute.info.peerId);
    expect(peers.find(({ peerId }) => peerId === other.info.peerId)).toMatchObject({
      name: '',
      addresses: [],
      paired: false,
      agent: expect.stringMatching(/^peerai\//u) as string,
    });
    expect(peers.find(({ peerId }) => peerId === first.info.peerId)?.addresses).not.toEqual([]);
    expect(await find(asker, 'no-such-model')).toEqual([]);
    expect((await asker.run(['models', 'find', 'echo'])).stdout).toContain(first.info.peerId.slice(-8));
  },
);

test('who turns neither on is found by nobody', { timeout: 60_000 }, async () => {
  const first = await started({ PEERAI_NETWORK__DISCOVERY__PEX: 'true' });
  const bootstrap = await addressOf(first);
  const quiet = await started({ PEERAI_NETWORK__BOOTSTRAP_NODES: bootstrap });
  const loud = await started({ PEERAI_NETWORK__BOOTSTRAP_NODES: bootstrap, PEERAI_NETWORK__DISCOVERY__PEX: 'true' });
  const found = await eventually(async () => {
    const peers = await find(first, 'echo');
    expect(peers).not.toEqual([]);
    return peers;
  });
  expect(found.map(({ peerId }) => peerId)).toEqual([loud.info.peerId]);
  expect((await find(quiet, 'echo')).length).toBeGreaterThan(0);
});

test('a walk lists who is there', { timeout: 90_000 }, async () => {
  const on = { PEERAI_NETWORK__DISCOVERY__PEX: 'true' };
  const first = await started(on);
  const other = await started({ ...on, PEERAI_NETWORK__BOOTSTRAP_NODES: await addressOf(first) });
  const { peers } = await eventually(async () => {
    const walked = await other.json<CrawlView>(['net', 'crawl']);
    expect(walked.peers).toMatchObject([
      { peerId: first.info.peerId, agent: expect.stringMatching(/^peerai/u) as string },
    ]);
    return walked;
  });
  expect(peers).toMatchObject([{ state: 'reachable', via: 'link' }]);
});
