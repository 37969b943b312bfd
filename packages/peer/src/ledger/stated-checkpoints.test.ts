import { nobleCrypto, type PeerAiError } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { type OwnLedger, openCheckpoint } from '@peerai/ledger';
import { expect, test } from 'vitest';
import { checkpointEntry, checkpointKind, readCheckpointEntry } from './checkpoint-statement.ts';
import { booksLimits as limits } from './limits.ts';
import { openOwnLedger } from './own-ledger.ts';
import { createStatedCheckpoints } from './stated-checkpoints.ts';

/** A witness and the log it watches; `copied` says how much of that the witness has. */
async function town() {
  const [witness, writer] = [
    memoryWorld({ seed: 1, crypto: nobleCrypto }),
    memoryWorld({ seed: 2, crypto: nobleCrypto }),
  ];
  const [own, theirs] = [(await openOwnLedger(witness)).ledger, (await openOwnLedger(writer)).ledger];
  let copied = true;
  const say = createStatedCheckpoints({
    store: witness.store,
    clock: witness.clock,
    ledger: own,
    witness: {
      async heads() {
        const { note } = await theirs.checkpoint();
        return [{ ...openCheckpoint(nobleCrypto, note), note }];
      },
    },
    copies: {
      view: async () => (copied ? ({ size: theirs.size } as never) : undefined),
      entries: (_, from, to) => theirs.entries(from, to),
    },
  });
  const add = async (kind: string, count = 1): Promise<void> => {
    for (let made = 0; made < count; made += 1) await theirs.append([{ kind, body: Uint8Array.of(1) }]);
  };
  const later = (ms: number): Promise<void> => witness.clock.advance(ms);
  return { own, theirs, say, add, later, hide: () => void (copied = false) };
}
async function sizes(own: OwnLedger): Promise<number[]> {
  const said: number[] = [];
  for await (const { entry } of own.entries(0n, own.size)) said.push(readCheckpointEntry(entry.body).size);
  return said;
}

test('a head is said once an hour, and not when nothing but such words was added', async () => {
  const { own, theirs, say, add, later } = await town();
  await add('note');
  await say();
  await add('note');
  await later(limits.checkpointStatedEveryMs - 1);
  await say();
  expect(await sizes(own)).toEqual([1]);
  await later(1);
  await say();
  await add(checkpointKind);
  await later(limits.checkpointStatedEveryMs);
  await say();
  expect(await sizes(own)).toEqual([1, 2]);
  await add('note');
  await say();
  const { origin, root } = openCheckpoint(nobleCrypto, (await theirs.checkpoint()).note);
  const said = await Array.fromAsync(own.entries(2n, 3n));
  expect(said.map(({ entry }) => [entry.kind, readCheckpointEntry(entry.body)])).toEqual([
    [checkpointKind, { origin, size: 4, root: Buffer.from(root).toString('hex') }],
  ]);
});

test('of a log without a copy it is said when it has grown by so many entries', async () => {
  const { own, say, add, hide } = await town();
  hide();
  await add('note', limits.checkpointGrowthMin - 1);
  await say();
  expect(await sizes(own)).toEqual([]);
  await add('note');
  await say();
  expect(await sizes(own)).toEqual([limits.checkpointGrowthMin]);
});

test('an entry of a checkpoint is read whole or not at all', async () => {
  const { identity } = memoryWorld({ seed: 3, crypto: nobleCrypto });
  const head = { origin: identity.peer, size: 7n, root: new Uint8Array(32).fill(9) };
  const { body } = checkpointEntry(head);
  expect(readCheckpointEntry(body)).toEqual({ origin: identity.peer, size: 7, root: '09'.repeat(32) });
  const newer = body.slice();
  newer[1] = 2;
  const wrong = [
    [newer, 'INVALID_VERSION'],
    [body.subarray(0, -1), 'INVALID_FORMAT'],
    [checkpointEntry({ ...head, size: 0n }).body, 'INVALID_FORMAT'],
    [checkpointEntry({ ...head, root: new Uint8Array(31) }).body, 'INVALID_FORMAT'],
  ] as const;
  for (const [bytes, code] of wrong)
    expect(() => readCheckpointEntry(bytes)).toThrow(expect.objectContaining<Partial<PeerAiError>>({ code }) as never);
});
