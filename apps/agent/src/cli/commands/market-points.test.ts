import type { ControlClient } from '@peerai/peer/control';
import { expect, test } from 'vitest';
import { amountOf, votedPolicy, wishOf } from './market-points.ts';

const signal = new AbortController().signal;
const usage = expect.objectContaining({ code: 'USAGE' });
const policy = (value: number) => [
  { name: 'quorum-percent', value: 50 },
  { name: 'incentives.node_hour_micro', value },
];
const clientOf = (
  groups: Readonly<Record<string, { readonly state: string; readonly decisions: readonly object[] }>>,
) =>
  ({
    governance: async () => ({ groups: Object.entries(groups).map(([id, { state }]) => ({ id, name: id, state })) }),
    governanceGroup: async (id: string) => ({
      group: { name: id },
      policy: policy(id.length),
      decisions: groups[id]?.decisions ?? [],
    }),
  }) as unknown as ControlClient;
const decided = (name: string, result = 'accepted') => ({ result, action: { type: 'policy', name, value: 1 } });

test('the policy that holds is the group’s, with whether it voted on it', async () => {
  const voted = clientOf({ guild: { state: 'member', decisions: [decided('incentives.node_hour_micro')] } });
  const values = { 'incentives.node_hour_micro': '5' };
  expect(await votedPolicy(voted, undefined, signal)).toEqual({ group: 'guild', voted: true, values });
  for (const decisions of [[], [decided('quorum-percent')], [decided('incentives.node_hour_micro', 'rejected')]])
    expect(await votedPolicy(clientOf({ guild: { state: 'member', decisions } }), undefined, signal)).toMatchObject({
      voted: false,
    });
});

test('without a group there is none, and with several one is named', async () => {
  expect(
    await votedPolicy(clientOf({ guild: { state: 'invited', decisions: [] } }), undefined, signal),
  ).toBeUndefined();
  const two = clientOf({ guild: { state: 'member', decisions: [] }, choir: { state: 'member', decisions: [] } });
  await expect(votedPolicy(two, undefined, signal)).rejects.toThrow(usage);
  expect(await votedPolicy(two, 'choir', signal)).toMatchObject({ group: 'choir' });
});

test('an amount has nine digits and six places at the most, and is taken to the micro-point', () => {
  for (const [text, taken] of [
    ['bob=2.5', ['bob', '2500000']],
    ['a=b=1', ['a=b', '1000000']],
    ['bob=999999999.999999', ['bob', '999999999999999']],
    ['bob=0.000001', ['bob', '1']],
  ] as const)
    expect(amountOf('give', text)).toEqual(taken);
  for (const text of ['bob', '=1', 'bob=', 'bob=1000000000', 'bob=1.0000001', 'bob=-1', 'bob=1e3', 'bob=1.'])
    expect(() => amountOf('give', text), text).toThrow(usage);
});

test('a reward is for a capsule by its two figures, or for a lease by its nodes and time; a lease has eight digits', async () => {
  const lease = { id: `${'ab'.repeat(4)}${'cd'.repeat(28)}`, nodes: 4, heldMs: 1_000 };
  const client = {
    memory: async (id: string) => ({ id: `${id}-whole`, quality: 0.8, novelty: 0.5, text: 'more' }),
    leases: async () => ({ leases: [lease] }),
  } as unknown as ControlClient;
  const wish = (args: object) => wishOf(client, { peer: 'bob', ...args }, signal);
  const capsule = { reason: 'capsule', peer: 'bob', subject: 'c1-whole', quality: 0.8, novelty: 0.5 };
  expect(await wish({ capsule: 'c1' })).toEqual(capsule);
  const facts = { peer: 'bob', subject: lease.id, nodes: 4, heldMs: 1_000 };
  expect(await wish({ lease: 'abababab' })).toEqual({ reason: 'borrowing', ...facts });
  for (const share of [0, 1])
    expect(await wish({ lease: lease.id, performance: `${share}` })).toEqual({
      reason: 'bonus',
      ...facts,
      performance: share,
    });
  for (const wrong of [{ lease: 'abababa' }, { lease: 'abababac' }, { lease: '' }])
    await expect(wish(wrong)).rejects.toThrow(usage);
  for (const performance of ['1.000001', '-0.000001', 'much', 'NaN'])
    await expect(wish({ lease: lease.id, performance }), performance).rejects.toThrow(usage);
});
