import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCluster, restoreCluster } from '@peerai/nn-engine/cluster';
import type {
  DisputeDetail,
  LeaseDetail,
  LeasesView,
  MarketOffersView,
  MarketView,
  MeteredLeaseDetail,
  NodesView,
} from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Agent, homes, pairUp, upAs } from '../../test/cli.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
beforeAll(async () => {
  [desk, laptop] = await Promise.all([upAs('desk', folders.make()), upAs('laptop', folders.make())]);
  await pairUp(desk, laptop, 'chat,borrow');
}, 120_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
});
const json = async <T>(agent: Agent, args: string[]): Promise<T> => {
  const { code, stdout, stderr } = await agent.run([...args, '--json']);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as T;
};

test(
  'one agent borrows nodes of another: the work is done there, and both have the same in their books',
  { timeout: 180_000 },
  async () => {
    expect(await laptop.run(['borrow', 'desk'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('lends no nodes'),
    });
    expect((await desk.run(['lend'])).stdout).toMatch(/^This peer lends no nodes/u);
    expect((await desk.run(['lend', '--nodes', '32', '--price', '0.6'])).stdout).toContain('16 at the most');
    const found = await json<NodesView>(laptop, ['nodes', 'free', 'desk']);
    expect(found.peers).toMatchObject([{ name: 'desk', nodes: 32, free: 16, nodeHourMicro: '600000' }]);

    const vectors = [
      [0.5, 1],
      [1, 0.25],
      [-2, 3],
    ];
    const saved = join(laptop.home, 'cluster.bin');
    const args = ['borrow', 'desk', '--minutes', '1', '--data', JSON.stringify(vectors), '--save', saved];
    const { lease, result } = await json<LeaseDetail>(laptop, args);
    const home = createCluster({ nodes: 8, inputs: 2, outputs: 1, seed: 1 });
    expect(result?.outputs).toEqual(vectors.map((vector) => [...home.process(vector)].map((value) => value + 0)));
    expect(restoreCluster(readFileSync(saved)).encode()).toEqual(home.encode());
    // 8 nodes for a minute at 0.6 credits for a node and an hour.
    expect(lease).toMatchObject({ state: 'settled', steps: 3, priceMicro: '80000' });
    const { leases, accounts } = await json<LeasesView>(desk, ['leases']);
    expect(leases).toMatchObject([{ id: lease.id, role: 'lender', state: 'settled', paidMicro: lease.paidMicro }]);
    expect(accounts).toMatchObject([{ earnedMicro: lease.paidMicro, lockedByThemMicro: '0' }]);

    // It is over, and both signed the same: there is nothing to dispute, and what was signed is there for anybody to check.
    expect(await laptop.run(['leases', 'dispute', lease.id, '--reason', 'x'])).toMatchObject({ code: 1 });
    const file = join(laptop.home, 'nodes.json');
    expect((await laptop.run(['leases', 'evidence', lease.id, '--save', file])).stdout).toContain(
      'peerai market judge',
    );
    // It is over already: nothing to do is no failure, and evidence without a reason says how it stands.
    expect((await laptop.run(['leases', 'end', lease.id])).code).toBe(0);
    expect((await desk.run(['market', 'check', file])).stdout).toContain(
      'the lease is over, settled with the newest receipt that both signed',
    );
    const proven = await json<{ readonly paidMicro: string }>(desk, ['market', 'check', file]);
    expect(proven).toMatchObject({ resource: 'node', paidMicro: lease.paidMicro });

    expect((await laptop.run(['borrow', 'desk'])).stdout).toContain('64 vectors went through 8 nodes of desk');
    expect(await laptop.run(['borrow', 'desk', '--price', '0.5'])).toMatchObject({ code: 5 });
    expect(await laptop.run(['borrow', 'desk', '--nodes', '17'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('NODES_TAKEN'),
    });
    expect(await laptop.run(['borrow', 'desk', '--data', '{}'])).toMatchObject({ code: 2 });
    expect((await desk.run(['lend', '--off'])).stdout).toContain('lends no nodes');
  },
);

test(
  'one agent leases a model of another: its answer is counted, and a dispute leaves a file that proves it',
  { timeout: 180_000 },
  async () => {
    expect((await desk.run(['market', 'offer', 'echo', '--price', '2'])).stdout).toContain('echo');
    const found = await json<MarketOffersView>(laptop, ['market', 'ls']);
    expect(found.models).toMatchObject([{ peerName: 'desk', model: 'echo', unitPriceMicro: '2000000' }]);
    const { lease } = await json<MeteredLeaseDetail>(laptop, ['market', 'buy', 'desk', 'echo', '--tokens', '5000']);
    expect(await laptop.run(['run', 'echo@desk', 'hello'])).toMatchObject({ code: 0 });
    const file = join(laptop.home, 'case.json');
    const args = ['market', 'dispute', lease.id, '--reason', 'it only repeats', '--save', file];
    const disputed = await json<DisputeDetail>(laptop, args);
    expect(disputed.lease).toMatchObject({ state: 'disputed', answers: 1 });
    const proven = await json<{ readonly paidMicro: string }>(laptop, ['market', 'check', file]);
    expect(proven.paidMicro).toBe(disputed.lease.dueMicro);
    const { balances } = await json<MarketView>(laptop, ['market', 'balance']);
    expect(balances.map(({ peerName }) => peerName)).toEqual(['desk']);
    expect((await laptop.run(['market', 'settle', lease.id])).code).toBe(1);
    const { values } = await json<{ readonly values: object }>(laptop, ['market', 'policy']);
    expect(values).toMatchObject({ 'incentives.node_hour_micro': '500000' });
  },
);

test('a free node is one of a machine that was measured', { timeout: 180_000 }, async () => {
  await desk.run(['lend', '--nodes', '8']);
  for (let tries = 0; ; tries += 1) {
    const { peers } = await json<NodesView>(laptop, ['nodes', 'free']);
    const [one] = peers;
    if (one?.processor !== null && one !== undefined) {
      const { load, processor, memory, agoMs, windowMs, isFree, why } = one;
      for (const share of [load, processor, memory]) expect(share !== null && share >= 0 && share <= 1).toBe(true);
      expect([agoMs >= 0, windowMs > 0, isFree]).toEqual([true, true, why.length === 0]);
      return;
    }
    if (tries > 100) throw new Error('nothing was measured');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
});
