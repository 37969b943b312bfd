import type { Identity } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { createGroup, identityOf, never, payload } from '../../test/members.ts';
import { all, crypto } from '../../test/world.ts';
import { evidenceOf } from '../agreement/evidence.ts';
import { type Agreement, membersPayload, verifyEvidence } from '../agreement/index.ts';
import { signStatement } from '../agreement/statement.ts';
import { verifyAccused } from './index.ts';

const running: Agreement[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
const code = (expected: string) => expect.objectContaining({ code: expected });

/** Three blocks: the second takes one more member in, who so is a member from the third on; the first member alone decides the first two. */
async function chain() {
  const group = createGroup(1);
  const [first] = group.identities as [Identity];
  const late = identityOf(9);
  const members = await group.all();
  const [{ agreement }] = members as [(typeof members)[0]];
  const second = await group.join(late);
  running.push(agreement, second.agreement);
  for (const one of [payload('a'), membersPayload([first.peer, late.peer])])
    await group.clock.until(agreement.propose(one, never));
  await group.clock.until(second.agreement.start());
  await group.clock.until(agreement.propose(payload('b'), never));
  const { group: id } = agreement.status();
  const lie = (who: Identity, height: number, epoch: number, of = id) => {
    const say = (mark: number) => {
      const block = new Uint8Array(32).fill(mark);
      return signStatement(who, { kind: 'finalize', group: of, epoch, height, view: 1, parent: 0, block });
    };
    return verifyEvidence(crypto, evidenceOf(say(1), say(2))?.bytes ?? new Uint8Array());
  };
  const blocks = await all(agreement.blocks(1, 4));
  const check = (...lies: ReturnType<typeof lie>[]) => verifyAccused(crypto, group.genesis, blocks, lies);
  return { first, late, lie, check, blocks, genesis: group.genesis };
}

test('who is accused must have been a member at that block, by the epochs of the chain', async () => {
  const { first, late, lie, check, blocks, genesis } = await chain();
  expect(blocks).toHaveLength(3);
  await check(lie(first, 1, 0), lie(first, 2, 0), lie(first, 3, 1), lie(late, 3, 1), lie(late, 4, 1));
  await expect(check(lie(first, 1, 0), lie(late, 2, 0))).rejects.toThrow(code('ACCUSED_NOT_MEMBER'));
  await expect(check(lie(identityOf(5), 4, 1))).rejects.toThrow(code('ACCUSED_NOT_MEMBER'));
  await expect(check(lie(late, 2, 1))).rejects.toThrow(code('EVIDENCE_WRONG'));
  await expect(check(lie(first, 1, 0, new Uint8Array(32)))).rejects.toThrow(code('EVIDENCE_WRONG'));
  await expect(check(lie(first, 5, 1))).rejects.toThrow(code('NOT_FOUND'));
  await expect(verifyAccused(crypto, genesis, blocks.slice(1), [lie(first, 1, 0)])).rejects.toThrow(
    code('BLOCK_WRONG'),
  );
});
