import type { ControlClient } from '@peerai/peer/control';
import { expect, test } from 'vitest';
import { votedPolicy } from './market-points.ts';

const signal = new AbortController().signal;
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
  await expect(votedPolicy(two, undefined, signal)).rejects.toThrow(expect.objectContaining({ code: 'USAGE' }));
  expect(await votedPolicy(two, 'choir', signal)).toMatchObject({ group: 'choir' });
});
