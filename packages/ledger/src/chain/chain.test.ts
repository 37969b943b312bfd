import { concatBytes, toHex } from '@peerai/core-protocol';
import { MemoryStore } from '@peerai/core-protocol/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createGroup, never, payload } from '../../test/members.ts';
import { all } from '../../test/world.ts';
import { type Agreement, agreementLimits as limits, membersPayload } from '../agreement/index.ts';
import { createGroupChain, exportChain, importChain, verifyChain, verifyChainFile } from './index.ts';

const running: Agreement[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

/** One member is a group too: a quorum of one, and blocks without waiting. */
async function chainOf(count: number) {
  const group = createGroup(count);
  const members = await group.all();
  running.push(...members.map(({ agreement }) => agreement));
  const { agreement, identity } = members[0]!;
  const store = new MemoryStore();
  const { crypto, genesis } = group;
  const chain = createGroupChain({ store, crypto, genesis, self: identity.peer, agreement });
  const mine = () => group.clock.until(chain.mineBlock(never));
  return { ...group, members, agreement, store, chain, mine };
}
const bodies = (entries: readonly { readonly body: Uint8Array }[]): string[] =>
  entries.map(({ body }) => new TextDecoder().decode(body));
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('mineBlock', () => {
  test('closes one block over what waits, gives nothing when nothing waits', async () => {
    const { chain, mine } = await chainOf(4);
    expect(await mine()).toBeUndefined();
    for (const text of ['one', 'two', 'three']) await chain.add(payload(text));
    const block = await mine();
    expect(bodies(block?.entries ?? [])).toEqual(['one', 'two', 'three']);
    expect([await chain.pending(), await mine()]).toEqual([[], undefined]);
    expect(await chain.verify()).toMatchObject({ ok: true, height: 1, head: block?.hash });
  });

  test('writes nothing twice when the peer died after the block and before it noted that', async () => {
    const { chain, mine, store, agreement, crypto, genesis, members, clock } = await chainOf(1);
    await chain.add(payload('once'));
    const commit = store.commit.bind(store);
    let commits = 0;
    store.commit = async (changes) => {
      if ((commits += 1) === 2) throw new Error('the process dies here');
      await commit(changes);
    };
    await expect(mine()).rejects.toThrow('dies');
    store.commit = commit;
    const again = createGroupChain({ store, crypto, genesis, self: members[0]!.identity.peer, agreement });
    expect(await clock.until(again.mineBlock(never))).toBeUndefined();
    expect([await again.pending(), agreement.status().height]).toEqual([[], 1]);
  });

  test('lets so many wait, and as many bytes into one block as it may have', async () => {
    const { chain, mine } = await chainOf(1);
    for (let at = 0; at < limits.pendingPerAuthorMax; at += 1) await chain.add(payload(`${at}`));
    await expect(chain.add(payload('too many'))).rejects.toThrow(code('LIMIT_REACHED'));
    expect((await mine())?.entries).toHaveLength(limits.pendingPerAuthorMax);
    const large = { kind: 'large', body: new Uint8Array(limits.entryBodyBytesMax) };
    await expect(chain.add({ ...large, body: new Uint8Array(limits.entryBodyBytesMax + 1) })).rejects.toThrow(
      code('LIMIT_EXCEEDED'),
    );
    for (let at = 0; at < 9; at += 1) await chain.add(large);
    expect((await mine())?.entries).toHaveLength(7);
    expect((await mine())?.entries).toHaveLength(2);
  });
});

describe('a chain in a file', () => {
  test('is whole only as it is: one changed byte anywhere names the block it is in', { timeout: 60_000 }, async () => {
    const { chain, mine, agreement, genesis, crypto } = await chainOf(1);
    for (const text of ['a', 'b', 'c']) {
      await chain.add(payload(text));
      await mine();
    }
    const file = concatBytes(...(await all(chain.export())));
    expect(await verifyChainFile(crypto, [file], genesis)).toMatchObject({ ok: true, height: 3 });
    const sizes = (await all(agreement.blocks(1, 4))).map(({ length }) => length + 4);
    let end = file.length - 12 - sizes.reduce((sum, size) => sum + size, 0);
    const ends = [end, ...sizes.map((size) => (end += size)), file.length];
    for (let at = 0; at < file.length; at += 1) {
      const damaged = file.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      const found = await verifyChainFile(crypto, [damaged], genesis);
      expect([at, found.ok, found.height]).toEqual([at, false, ends.findIndex((one) => at < one)]);
    }
    for (const cut of ends.slice(0, -1))
      expect(await verifyChainFile(crypto, [file.slice(0, cut)], genesis)).toMatchObject({ ok: false });
    expect(await verifyChainFile(crypto, [file, Uint8Array.of(0)], genesis)).toMatchObject({ ok: false, height: 4 });
  });

  test('is checked under the members that the blocks before say, and by nobody else’s genesis', async () => {
    const { chain, mine, members, genesis, crypto, agreement, clock } = await chainOf(4);
    await chain.add(payload('four of us'));
    await mine();
    const left = members.slice(0, 3).map(({ identity }) => identity.peer);
    await clock.until(agreement.propose(membersPayload(left), never));
    await chain.add(payload('three of us'));
    await mine();
    const blocks = await all(agreement.blocks(1, 4));
    expect(await verifyChain(crypto, genesis, blocks)).toMatchObject({ ok: true, height: 3, epoch: { number: 1 } });
    expect(await verifyChain(crypto, { ...genesis, members: left }, blocks)).toMatchObject({ ok: false, height: 1 });
    const [one = new Uint8Array(), two = new Uint8Array(), three = new Uint8Array()] = blocks;
    expect(await verifyChain(crypto, genesis, [one, three])).toMatchObject({
      ok: false,
      height: 2,
      code: 'BLOCK_WRONG',
    });
    expect(await verifyChain(crypto, genesis, [two])).toMatchObject({ ok: false, height: 1 });
    expect(await verifyChain(crypto, genesis, [one, one])).toMatchObject({ ok: false, height: 2 });
  });

  test('is what a member can begin with, in pieces of any size; a damaged one stops at its first bad block', async () => {
    const { chain, mine, genesis, crypto, members } = await chainOf(1);
    for (let at = 0; at < 3; at += 1) {
      await chain.add(payload(`${at}`));
      await mine();
    }
    const file = concatBytes(...(await all(chain.export())));
    const pieces = Array.from({ length: Math.ceil(file.length / 7) }, (_, at) => file.slice(at * 7, at * 7 + 7));
    const store = new MemoryStore();
    expect(await importChain({ store, crypto }, genesis, pieces)).toBe(3);
    expect(await importChain({ store, crypto }, genesis, pieces)).toBe(3);
    const read = await createGroup(1).join(members[0]!.identity, {}, store);
    expect([read.agreement.status().height, toHex(read.agreement.status().head)]).toEqual([
      3,
      toHex(members[0]!.agreement.status().head),
    ]);
    const other = new MemoryStore();
    const damaged = file.slice();
    damaged[file.length - 40] = 1 ^ (damaged[file.length - 40] ?? 0);
    await expect(importChain({ store: other, crypto }, genesis, [damaged])).rejects.toThrow(code('INVALID_SIGNATURE'));
    expect(await other.get('b/00000000000002')).toBeDefined();
    expect(await other.get('b/00000000000003')).toBeUndefined();
    const others = concatBytes(...(await all(exportChain({ ...genesis, name: 'another' }, []))));
    await expect(importChain({ store, crypto }, genesis, [others])).rejects.toThrow(code('BLOCK_WRONG'));
  });
});
