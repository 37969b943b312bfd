import { PeerAiError } from '@peerai/core-protocol';
import { startTestnet, type RunningAgent, type Testnet } from '@peerai/testnet';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

/** Small by itself. As a measurement, with so many agents and decisions; the README has the command and what it showed. */
const agents = Number(process.env['PEERAI_AGREE_AGENTS'] ?? '4');
const decisions = Number(process.env['PEERAI_AGREE_DECISIONS'] ?? '6');
const isMeasured = process.env['PEERAI_AGREE_DECISIONS'] !== undefined;
/** After how many decisions the next leader is killed. */
const everyNth = isMeasured ? 5 : 3;
const msMax = isMeasured ? 900_000 : 120_000;

let testnet: Testnet;
beforeAll(async () => {
  testnet = await startTestnet({ agents, relays: 1, engine: 'scripted', env: {} });
}, msMax);
afterAll(async () => {
  await Promise.all((testnet?.agents ?? []).map(({ child }) => child.stop()));
  await testnet?.stop();
}, 60_000);

test(
  'while the leader is killed again and again, all agents end with one chain: nothing decided twice, nothing lost',
  async () => {
    const all: RunningAgent[] = [...testnet.agents];
    const at = (index: number): RunningAgent => {
      const found = all[index % all.length];
      if (found === undefined) throw new Error('no agent');
      return found;
    };
    const [first, ...others] = all;
    if (first === undefined) throw new Error('no agent');
    const { group } = await first.client.createGovernance({
      name: 'village',
      members: others.map(({ info }) => info.peerId),
    });
    for (const { client } of others) {
      await vi.waitFor(async () => expect((await client.governance()).groups).toHaveLength(1), { timeout: 20_000 });
      await client.joinGovernance(group.id);
    }
    const shown = ({ client }: RunningAgent) => client.governanceGroup(group.id);
    // Members in their order: height + view of this list leads, so the next height's leader is known.
    const leader = async (watcher: RunningAgent): Promise<number> => {
      const { group: now } = await shown(watcher);
      const id = now.members[(now.height + 2) % now.members.length]?.peerId;
      return all.findIndex(({ info }) => info.peerId === id);
    };
    const acknowledged: string[] = [];
    let kills = 0;
    for (let count = 0; count < decisions; count += 1) {
      let [proposer, killed] = [at(count), -1];
      let restarted: Promise<RunningAgent> | undefined;
      if (count % everyNth === everyNth - 1) {
        killed = await leader(proposer);
        if (all[killed] === proposer) proposer = at(killed + 1);
        const victim = at(killed);
        // kill -9 while the entry is on its way; it starts again while the others go on without it.
        restarted = victim.child.kill().then(() => victim.restart());
        kills += 1;
      }
      const title = `decision ${count}`;
      const said = await proposer.client.proposeTo(group.id, { title, action: { type: 'text' }, openMs: 3_600_000 });
      acknowledged.push(said.proposal);
      if (restarted !== undefined) all[killed] = await restarted;
      const voters = all.slice(0, Math.floor(all.length / 2) + 1);
      for (const { client } of voters)
        await vi.waitFor(
          async () => {
            const isOver = (await client.governanceGroup(group.id)).decisions.some(({ id }) => id === said.proposal);
            if (!isOver) await client.voteOn(group.id, said.proposal, 'yes').catch(votedAlready);
          },
          { timeout: 40_000, interval: 200 },
        );
    }
    await vi.waitFor(
      async () => {
        const views = await Promise.all(all.map(shown));
        expect(views.map((view) => view.decisions.length)).toEqual(all.map(() => decisions));
        expect(new Set(views.map(({ digest, head }) => `${digest} ${head}`)).size).toBe(1);
      },
      { timeout: 60_000, interval: 250 },
    );
    const view = await shown(at(0));
    expect(view.decisions.map(({ id }) => id).toSorted()).toEqual(acknowledged.toSorted());
    expect(view.decisions.map(({ result }) => result)).toEqual(acknowledged.map(() => 'accepted'));
    expect(kills).toBe(Math.floor(decisions / everyNth));
    // Each checks the bytes that it has stored itself; the heads above are hashes over all of them.
    for (const { client } of all)
      expect(await client.verifyGovernance(group.id)).toMatchObject({ ok: true, matches: true, problem: null });
    if (isMeasured) console.info('agreement', JSON.stringify({ agents, decisions, kills, blocks: view.group.height }));
  },
  msMax,
);

/** An earlier try arrived and its answer did not, or the others were enough. */
function votedAlready(error: unknown): void {
  if (!PeerAiError.is(error, 'VOTE_REFUSED')) throw error;
}
