import { concatBytes, fromBase64Url } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { decodeGenesis } from '@peerai/ledger/agreement';
import { exportEntryProof, verifyEntryProof } from '@peerai/ledger/governance';
import { afterEach, expect, test } from 'vitest';
import type { TestPeer } from '../testing/peers.ts';
import { ask, until } from '../testing/steps.ts';
import { propose, show, type Village, village, voteAll } from '../testing/village.ts';
import { governanceDetailSchema } from './governance.schema.ts';
import { governanceProofSchema } from './log-heads.schema.ts';

const villages: Village[] = [];
afterEach(async () => {
  for (const one of villages.splice(0)) await one.stop();
});
const code = (expected: string) => expect.objectContaining({ code: expected });
const deps = { crypto: nodeCrypto, ballots: { verify: async () => false } };

/** What `peerai ledger prove --group` writes. */
async function fileOf({ peer }: TestPeer, index: number, origin?: string): Promise<Uint8Array> {
  const proven = governanceProofSchema.strict().parse(await peer.governance.prove('village', index, origin));
  const { genesis, blocks } = await peer.governance.chain('village', 1);
  const bytes = blocks.slice(0, proven.height).map(fromBase64Url);
  const pieces: Uint8Array[] = [];
  const file = exportEntryProof(fromBase64Url(proven.proof), decodeGenesis(fromBase64Url(genesis)), bytes);
  for await (const piece of file) pieces.push(piece);
  return concatBytes(...pieces);
}

test(
  'running members’ logs feed the chain, and an entry is proven by it, a copied log’s too',
  { timeout: 60_000 },
  async () => {
    const made = await village(2);
    villages.push(made);
    const { world, at } = made;
    const all = [0, 1].map(at);
    const action = { type: 'policy', name: 'log-heads.every_minutes', value: 1 } as const;
    await voteAll(world, all, await propose(world, at(0), { action }));
    await until(world.clock, async () => (await show(at(0))).decisions.length === 1);
    await expect(at(1).peer.governance.prove('village', 0)).rejects.toThrow(code('NOT_FOUND'));
    await ask(world, at(1), 'echo@p0', 'hello');
    const headsOf = async (one: TestPeer) => (await show(one)).logHeads.heads.map(({ name }) => name).toSorted();
    for (let step = 0; step < 30 && (await headsOf(at(0))).length < 2; step += 1) await world.clock.advance(5_000);
    expect(await headsOf(at(0))).toEqual(['p0', 'p1']);
    const view = governanceDetailSchema.strict().parse(await show(at(0))).logHeads;
    expect(view).toMatchObject({ everyMinutes: 1, faults: [], problem: null });
    const { height, size } = view.heads[0] ?? { height: 0, size: 0 };
    expect(view.heads[1]?.height).toBe(height);

    const { entries } = await at(1).peer.books.entries({ from: 0, limit: 50 });
    const { index = -1 } = entries.find(({ kind }) => kind === 'usage-receipt') ?? {};
    const found = await verifyEntryProof(deps, await fileOf(at(1), index));
    expect(found).toMatchObject({
      origin: at(1).identity.peer,
      group: made.id,
      height,
      entry: { kind: 'usage-receipt' },
    });
    await expect(at(1).peer.governance.prove('village', 10_000)).rejects.toThrow(code('NOT_IN_LOG'));
    await expect(at(1).peer.governance.prove('village', 0, made.id)).rejects.toThrow(code('DEVICE_UNKNOWN'));
    // A copy of that log lies here by now.
    await until(world.clock, async () => {
      const copy = (await at(0).peer.logs.overview()).copies.find(({ origin }) => origin === at(1).identity.peer);
      return (copy?.size ?? 0) >= size;
    });
    expect(await verifyEntryProof(deps, await fileOf(at(0), index, 'p1'))).toMatchObject({
      index: BigInt(index),
      height,
    });

    // Now nobody has news: what was decided is stated in all logs, and no block comes of it.
    const before = (await show(at(0))).group.height;
    await world.clock.advance(130_000);
    expect((await show(at(0))).group.height).toBe(before);
  },
);
