import { PeerAiError } from '@peerai/core-protocol';
import { startTestnet, type RunningAgent, type Testnet } from '@peerai/testnet';
import { afterEach, expect, test, vi } from 'vitest';

const asked = { agents: process.env['PEERAI_AGREE_AGENTS'], decisions: process.env['PEERAI_AGREE_DECISIONS'] };
const isMeasured = asked.decisions !== undefined;
/** One form with so many agents and decisions, as a measurement; the README has the command and what it showed. */
const forms = isMeasured
  ? [{ agents: Number(asked.agents ?? '4'), decisions: Number(asked.decisions) }]
  : [
      { agents: 4, decisions: 50 },
      { agents: 7, decisions: 50 },
    ];
/** Proposals that are on their way at the same time, by several agents; the leader is killed once in each such round. */
const together = 5;
/** Room for a machine on which all takes twenty times as long. */
const timeout = 1_800_000;
const waiting = { timeout: 120_000, interval: 100 };

let testnet: Testnet | undefined;
let all: RunningAgent[] = [];
afterEach(async () => {
  await Promise.all(all.map(({ child }) => child.stop()));
  await testnet?.stop();
}, 60_000);

test.each(forms)(
  '$agents agents make $decisions decisions while the leader is killed again and again: all end with one chain, nothing decided twice, nothing lost',
  { timeout },
  async ({ agents, decisions }) => {
    testnet = await startTestnet({ agents, relays: 1, engine: 'scripted', env: {} });
    all = [...testnet.agents];
    const [first, ...others] = all;
    if (first === undefined) throw new Error('no agent');
    const members = others.map(({ info }) => info.peerId);
    const { group } = await first.client.createGovernance({ name: 'village', members });
    for (const { client } of others) {
      await vi.waitFor(async () => expect((await client.governance()).groups).toHaveLength(1), waiting);
      await client.joinGovernance(group.id);
    }
    const shown = ({ client }: RunningAgent) => client.governanceGroup(group.id);
    // Members in their order: height + view of this list leads, so the next height's leader is known.
    const leader = async (): Promise<RunningAgent> => {
      const { group: now } = await shown(at(0));
      const id = now.members[(now.height + 2) % now.members.length]?.peerId;
      const found = all.find(({ info }) => info.peerId === id);
      if (found === undefined) throw new Error('no leader');
      return found;
    };
    const acknowledged: string[] = [];
    let kills = 0;
    /** kill -9 of the next leader; it starts again while the others go on without it. */
    const killLeader = async () => {
      const victim = await leader();
      kills += 1;
      const restarted = victim.child.kill().then(() => victim.restart());
      const without = all.filter((agent) => agent !== victim);
      const over = async (): Promise<void> => {
        all[all.indexOf(victim)] = await restarted;
      };
      return { without, over };
    };
    const propose = async (count: number, by: readonly RunningAgent[]): Promise<string> => {
      const proposer = at(count, by);
      const title = `decision ${count}`;
      const said = await proposer.client.proposeTo(group.id, { title, action: { type: 'text' }, openMs: 3_600_000 });
      return said.proposal;
    };
    const vote = ({ client }: RunningAgent, proposal: string): Promise<void> =>
      vi.waitFor(async () => {
        const isOver = (await client.governanceGroup(group.id)).decisions.some(({ id }) => id === proposal);
        if (!isOver) await client.voteOn(group.id, proposal, 'yes').catch(votedAlready);
      }, waiting);
    const voteOnAll = (voters: readonly RunningAgent[], proposals: readonly string[]): Promise<unknown> => {
      const majority = voters.slice(0, Math.floor(agents / 2) + 1);
      return Promise.all(majority.flatMap((voter) => proposals.map(async (proposal) => vote(voter, proposal))));
    };

    for (let count = 0; count < decisions; count += together) {
      const numbers = Array.from({ length: Math.min(together, decisions - count) }, (_, index) => count + index);
      const proposeAll = (by: readonly RunningAgent[]) => Promise.all(numbers.map((number) => propose(number, by)));
      // In one round while the proposals are on their way, in the next while the votes are.
      if ((count / together) % 2 === 0) {
        const { without, over } = await killLeader();
        const proposals = await proposeAll(without);
        acknowledged.push(...proposals);
        await over();
        await voteOnAll(all, proposals);
      } else {
        const proposals = await proposeAll(all);
        acknowledged.push(...proposals);
        const { without, over } = await killLeader();
        await voteOnAll(without, proposals);
        await over();
      }
    }
    await vi.waitFor(async () => {
      const views = await Promise.all(all.map(shown));
      expect(views.map((view) => view.decisions.length)).toEqual(all.map(() => decisions));
      expect(new Set(views.map(({ digest, head }) => `${digest} ${head}`)).size).toBe(1);
    }, waiting);
    const view = await shown(at(0));
    expect(view.decisions.map(({ id }) => id).toSorted()).toEqual(acknowledged.toSorted());
    expect(view.decisions.map(({ result }) => result)).toEqual(acknowledged.map(() => 'accepted'));
    expect(kills).toBe(Math.ceil(decisions / together));
    // Each checks the bytes that it has stored itself; the heads above are hashes over all of them.
    for (const { client } of all)
      expect(await client.verifyGovernance(group.id)).toMatchObject({ ok: true, matches: true, problem: null });
    if (isMeasured) console.info('agreement', JSON.stringify({ agents, decisions, kills, blocks: view.group.height }));
  },
);

function at(index: number, among: readonly RunningAgent[] = all): RunningAgent {
  const found = among[index % among.length];
  if (found === undefined) throw new Error('no agent');
  return found;
}

/** An earlier try arrived and its answer did not, or the others were enough. */
function votedAlready(error: unknown): void {
  if (!PeerAiError.is(error, 'VOTE_REFUSED')) throw error;
}
