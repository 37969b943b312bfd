import { toHex } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { createGroup, never, payload } from '../../test/members.ts';
import type { Agreement } from './index.ts';

const running: Agreement[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function started(count: number, options = {}) {
  const group = createGroup(count, options);
  const members = await group.all();
  running.push(...members.map(({ agreement }) => agreement));
  return { ...group, group, members, until: group.clock.until.bind(group.clock) };
}
describe('four members', () => {
  test('decide the same block in three hops, and rest when nobody wants anything', async () => {
    const { members, clock, until, group } = await started(4);
    const startMs = clock.elapsedMs();
    const { block, index } = await until(members[0]!.agreement.propose(payload('hello'), never));
    expect(clock.elapsedMs() - startMs).toBeLessThanOrEqual(40);
    expect([block.header.height, index]).toEqual([1, 0]);
    await clock.advance(1_000);
    expect(members.map(({ agreement }) => toHex(agreement.status().head))).toEqual(
      Array.from({ length: 4 }, () => toHex(block.hash)),
    );
    const { sent } = group;
    await clock.advance(10_000);
    expect(group.sent).toBe(sent);
    expect(members.map(({ agreement }) => agreement.status().view)).toEqual([1, 1, 1, 1]);
  });
});
