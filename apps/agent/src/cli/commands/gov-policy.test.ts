import { memoryWorld } from '@peerai/core-protocol/testing';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createAgreement, type Genesis } from '@peerai/ledger/agreement';
import { createBallotBooth, encodeStatement, policyKeys, type Said, verifyGovernance } from '@peerai/ledger/governance';
import type { ControlClient } from '@peerai/peer/control';
import { afterEach, expect, test } from 'vitest';
import { type PolicyChange, policyOf, proposePolicy } from './gov-policy.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const never = new AbortController().signal;
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A group of one, as its agent answers. */
async function groupOfOne() {
  const world = memoryWorld({ seed: 4, crypto });
  const genesis: Genesis = { version: 1, name: 'x', members: [world.identity.peer], nonce: new Uint8Array(16) };
  const link = { broadcast: () => undefined, send: () => undefined, receive: () => () => undefined };
  const agreement = await createAgreement({ ...world, link, judge: () => true }, { genesis });
  await agreement.start();
  stops.push(() => agreement.stop());
  const state = async () => {
    const chain = agreement.blocks(1, agreement.status().height + 1);
    return (await verifyGovernance({ crypto, ballots: createBallotBooth() }, genesis, chain)).state;
  };
  const say = async (said: Said, timeMs = 1_000) => agreement.propose(encodeStatement({ timeMs, said }), never);
  const asked: string[] = [];
  const client = {
    async governanceGroup() {
      const { policy, proposals } = await state();
      return {
        policy: Object.entries(policyKeys).map(([name, { unit }]) => ({
          name,
          unit,
          value: Reflect.get(policy, name),
        })),
        proposals: [...proposals.values()],
      };
    },
    async proposeTo(_group: string, { title, action }: Parameters<ControlClient['proposeTo']>[1]) {
      asked.push(title);
      const before = new Set((await state()).proposals.keys());
      await say({ type: 'proposal', proposal: { title, text: '', action: action as never, openMs: 60_000 } });
      const proposal = [...(await state()).proposals.keys()].find((id) => !before.has(id)) ?? '';
      return { v: 1, group: 'x', proposal, height: 1 };
    },
  } as unknown as ControlClient;
  const propose = async (file: object | string, title?: string) => {
    const wanted = policyOf(typeof file === 'string' ? file : JSON.stringify(file));
    const told: PolicyChange[] = [];
    const changes = await proposePolicy(client, 'x', wanted, { title }, (one) => told.push(one), never);
    expect(told).toEqual(changes);
    return changes;
  };
  return { state, say, propose, asked };
}

test('a file of a policy opens a proposal for each value that differs, and the group decides on each', async () => {
  const { state, say, propose, asked } = await groupOfOne();
  const file = {
    'incentives.node_hour_micro': '0.25',
    'incentives.capsule_base_micro': 1_000_000,
    'quorum-percent': 60,
  };
  const changes = await propose(file);
  expect(changes).toMatchObject([
    { name: 'incentives.node_hour_micro', from: 500_000, to: 250_000, unit: 'micro-points', isNew: true },
    { name: 'quorum-percent', from: 50, to: 60, unit: 'percent', isNew: true },
  ]);
  expect(asked).toEqual(['set incentives.node_hour_micro to 250000', 'set quorum-percent to 60']);
  // The same file once more: what is open stays the only proposal for it.
  expect((await propose(file)).map(({ isNew }) => isNew)).toEqual([false, false]);
  expect(asked).toHaveLength(2);
  for (const { proposal: on } of changes) await say({ type: 'vote', on, choice: 'yes' });
  for (const { proposal: on } of changes) await say({ type: 'close', on }, 61_001);
  expect((await state()).policy).toMatchObject({ 'incentives.node_hour_micro': 250_000, 'quorum-percent': 60 });
  expect(await propose(file)).toEqual([]);
  expect(asked).toHaveLength(2);
});

test('a wrong name or value is refused before anything is proposed', async () => {
  const { propose, asked } = await groupOfOne();
  const good = { 'incentives.node_hour_micro': 1 };
  for (const [wrong, refusal] of [
    [{ ...good, 'incentives.node_hour': 1 }, 'INVALID_FORMAT'],
    [{ ...good, toString: 1 }, 'INVALID_FORMAT'],
    [{ ...good, 'quorum-percent': 0 }, 'LIMIT_EXCEEDED'],
    [{ ...good, 'quorum-percent': 101 }, 'LIMIT_EXCEEDED'],
    [{ ...good, 'quorum-percent': '50.5' }, 'USAGE'],
    [{ ...good, 'quorum-percent': '50 points' }, 'USAGE'],
    [{ ...good, 'incentives.capsule_base_micro': '1000.000001' }, 'LIMIT_EXCEEDED'],
    [{ ...good, 'incentives.capsule_base_micro': -1 }, 'USAGE'],
    [{ ...good, 'incentives.capsule_base_micro': null }, 'USAGE'],
    [[1], 'USAGE'],
    ['{', 'USAGE'],
  ] as const)
    await expect(propose(wrong), JSON.stringify(wrong)).rejects.toThrow(code(refusal));
  expect(asked).toEqual([]);
});

test('a number is read as it is written, and so is what `peerai market policy --json` prints', () => {
  const read = (text: string) => [...policyOf(text).values()];
  expect(read('{"incentives.node_hour_micro": 1.0}')).toEqual([1_000_000]);
  expect(read('{"incentives.node_hour_micro": 1}')).toEqual([1]);
  expect(read('{"incentives.node_hour_micro": "1000 points"}')).toEqual([1_000_000_000]);
  expect(read('{"v":1,"group":"x","voted":true,"values":{"quorum-percent":"100"}}')).toEqual([100]);
});
