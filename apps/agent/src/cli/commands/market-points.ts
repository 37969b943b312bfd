import { fromBase64Url, PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, RewardsView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { supplyOf, supplyText } from './points-supply.ts';
import { table } from '../plain.ts';
import { counted, creditsText } from '../words.ts';

const group = { type: 'positional', required: true, description: 'Name or id of the group, or its beginning' } as const;

/** `peerai market points <group>`: who has how many, and with a flag one thing to do with them. */
export const points = command(
  'points',
  'Points of a group: who has them; issue by a vote, give, reward, prove the supply',
  {
    group,
    issue: { type: 'string', valueHint: 'PEER=N', description: 'Propose that the group issues so many' },
    give: { type: 'string', valueHint: 'PEER=N', description: 'Give of your own' },
    reason: { type: 'string', valueHint: 'TEXT', description: 'Why, with --issue and --give' },
    prove: {
      type: 'boolean',
      description: 'Check the whole chain here, and that all points add up to what was issued',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    const { issue, give, prove, reason = '' } = args;
    if ([issue, give, prove].filter((one) => one !== undefined && one !== false).length > 1)
      throw new PeerAiError('USAGE', 'one of --issue, --give and --prove at a time');
    if (issue !== undefined) {
      const [peer, amountMicro] = amountOf('issue', issue);
      const action = { type: 'points', peer, amountMicro, reason } as const;
      const said = await client.proposeTo(args.group, { title: `issue ${issue}`, action }, signal);
      output.data(
        said,
        () =>
          `Proposed. They are issued when the members say yes: peerai gov vote ${args.group} ${said.proposal.slice(0, 12)} yes`,
      );
      return;
    }
    if (give !== undefined) {
      const [peer, amountMicro] = amountOf('give', give);
      const paid = await client.transferPoints(args.group, { peer, amountMicro, reason }, signal);
      output.data(paid, () => `${creditsText(amountMicro)} points are ${paid.to.name}’s since block ${paid.height}.`);
      return;
    }
    if (prove === true) {
      const proven = await proveSupply(client, args.group, signal);
      output.data(
        { v: 1, ...proven },
        () =>
          `${counted(proven.blocks, 'block', 'blocks')} and ${proven.signatures} signatures hold. ${supplyText(proven)}`,
      );
      return;
    }
    const found = await client.governanceGroup(args.group, signal);
    const { points: held, pointsIssuedMicro } = found;
    output.data({ v: 1, group: found.group.id, points: held, pointsIssuedMicro }, () =>
      held.length === 0
        ? `No points yet. To issue some: peerai market points ${args.group} --issue self=100`
        : `${table([['PEER', 'POINTS'], ...held.map((one) => [one.name, creditsText(one.amountMicro)])])}\n\n${creditsText(pointsIssuedMicro)} were issued in all.`,
    );
  },
);

const share = (name: string, text: string | undefined): number => {
  const value = Number(text);
  if (text === undefined || !(value >= 0 && value <= 1))
    throw new PeerAiError('USAGE', `--${name} is a share from 0 to 1`);
  return value;
};

/** `peerai market reward <group> <peer>`: pays in the group's points what its policy says. */
export const reward = command(
  'reward',
  'Pay in points what the group’s policy says: for a capsule, for borrowed nodes, or a bonus',
  {
    group,
    peer: { type: 'positional', required: true, description: 'Who is paid' },
    capsule: {
      type: 'string',
      valueHint: 'ID',
      description: 'A capsule you took; its author is paid base × quality × novelty',
    },
    lease: {
      type: 'string',
      valueHint: 'ID',
      description: 'A lease of nodes: as its borrower you pay its price by the policy',
    },
    performance: {
      type: 'string',
      valueHint: '0-1',
      description: 'With --lease, as its lender: a bonus for work above the policy’s threshold',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    if ((args.capsule === undefined) === (args.lease === undefined))
      throw new PeerAiError('USAGE', 'say --capsule or --lease');
    const paid = await client.rewardBy(args.group, await wishOf(client, args, signal), signal);
    output.data(
      paid,
      () => `${creditsText(paid.amountMicro)} points are ${paid.to.name}’s since block ${paid.height}.`,
    );
  },
);

/** `peerai market rewards`: what is given by itself. */
export const rewards = command(
  'rewards',
  'What this agent gives by itself by its groups’ policies, and what waits',
  {} as const,
  async ({ agent, output, signal }) => {
    const found = await (await agent()).client.rewards(signal);
    output.data(found, () => rewardsText(found));
  },
);

function rewardsText({ mode, today, todayMicro, perDayMax, dayMicroMax, given, waiting }: RewardsView): string {
  const all = [
    ...waiting.map((one) => ({ ...one, state: 'waits', why: one.why })),
    ...given.map((one) => ({ ...one, why: one.why ?? '' })),
  ].map(({ reason, subject, to, amountMicro, groupName, group: id, state, why }) => [
    `${reason} ${subject.slice(0, 12)}`,
    to.name,
    creditsText(amountMicro),
    groupName ?? id.slice(0, 12),
    state,
    why,
  ]);
  const head =
    mode === 'off'
      ? 'Nothing is given by itself. To change that: peerai config set market.rewards auto'
      : `Today ${today} of at most ${perDayMax} rewards, ${creditsText(todayMicro)} of ${creditsText(dayMicroMax)} points.`;
  return all.length === 0 ? head : `${table([['FOR', 'TO', 'POINTS', 'GROUP', 'STATE', 'WHY'], ...all])}\n\n${head}`;
}

/** What is rewarded, in figures. Throws USAGE for what is no lease here, and what the agent says of a capsule. */
export async function wishOf(
  client: ControlClient,
  args: {
    readonly peer: string;
    readonly capsule?: string | undefined;
    readonly lease?: string | undefined;
    readonly performance?: string | undefined;
  },
  signal: AbortSignal,
): Promise<Parameters<ControlClient['rewardBy']>[1]> {
  const { peer } = args;
  if (args.capsule !== undefined) {
    const { id, quality, novelty } = await client.memory(args.capsule, signal);
    return { reason: 'capsule', peer, subject: id, quality, novelty };
  }
  const { leases } = await client.leases(signal);
  const lease = leases.find(({ id }) => id.startsWith(args.lease ?? ''));
  if (lease === undefined || (args.lease ?? '').length < 8)
    throw new PeerAiError('USAGE', 'a lease of nodes by its id or eight digits of it; peerai leases ls has them');
  const facts = { peer, subject: lease.id, nodes: lease.nodes, heldMs: lease.heldMs };
  if (args.performance === undefined) return { reason: 'borrowing', ...facts };
  return { reason: 'bonus', ...facts, performance: share('performance', args.performance) };
}

/** The chain from its first byte, checked in this process: the agent is not believed. Throws LEDGER_DAMAGED. */
async function proveSupply(client: ControlClient, name: string, signal: AbortSignal) {
  const [{ verifyGovernance, createBallotBooth }, { decodeGenesis }, { nodeCrypto }] = await Promise.all([
    import('@peerai/ledger/governance'),
    import('@peerai/ledger/agreement'),
    import('@peerai/core-protocol/crypto-node'),
  ]);
  const first = await client.governanceChain(name, 1, signal);
  async function* blocks(): AsyncGenerator<Uint8Array> {
    for (let page = first; ; page = await client.governanceChain(name, page.next ?? 1, signal)) {
      for (const block of page.blocks) yield fromBase64Url(block);
      if (page.next === null) return;
    }
  }
  const genesis = decodeGenesis(fromBase64Url(first.genesis));
  const deps = { crypto: nodeCrypto, ballots: createBallotBooth() };
  const { ok, problem, state, blocks: count, signatures } = await verifyGovernance(deps, genesis, blocks());
  if (!ok) throw new PeerAiError('LEDGER_DAMAGED', problem ?? 'this chain does not hold');
  return { group: state.group, blocks: count, signatures, ...supplyOf(state) };
}

/** `bob=2.5` as bob and micro-points. Throws USAGE. */
export function amountOf(flag: string, text: string): [peer: string, amountMicro: string] {
  const at = text.lastIndexOf('=');
  const [, whole = '', part = ''] = /^(\d{1,9})(?:\.(\d{1,6}))?$/u.exec(text.slice(at + 1)) ?? [];
  if (at < 1 || whole === '') throw new PeerAiError('USAGE', `--${flag} takes PEER=N such as bob=2.5, not "${text}"`);
  return [text.slice(0, at), `${BigInt(whole + part.padEnd(6, '0'))}`];
}

/** What a group of this peer holds to; undefined where it is in none. Throws USAGE where it is in several and none is named. */
export async function votedPolicy(
  client: ControlClient,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly group: string; readonly voted: boolean; readonly values: Record<string, string> } | undefined> {
  const { groups } = await client.governance(signal);
  const own = groups.filter(({ state }) => state === 'member');
  if (wanted === undefined && own.length > 1)
    throw new PeerAiError('USAGE', `say which group: --group ${own.map(({ name }) => name).join(' or --group ')}`);
  const found = wanted ?? own[0]?.id;
  if (found === undefined) return undefined;
  const { group: one, policy, decisions } = await client.governanceGroup(found, signal);
  const named = policy.filter(({ name }) => name.startsWith('incentives.'));
  const voted = decisions.some(
    ({ action, result }) => result === 'accepted' && action.type === 'policy' && action.name.startsWith('incentives.'),
  );
  return { group: one.name, voted, values: Object.fromEntries(named.map(({ name, value }) => [name, `${value}`])) };
}
