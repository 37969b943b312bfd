import { createIdentity, type EntryBody, nobleCrypto, utf8 } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { verifyLedger } from '@peerai/ledger';
import { expect, test } from 'vitest';
import { capsuleEntry } from './capsule-statement.ts';
import { createStatementChecker } from './check-statements.ts';
import { checkpointEntry } from './checkpoint-statement.ts';
import { decisionEntry } from './decision-statement.ts';
import { openOwnLedger } from './own-ledger.ts';

const other = createIdentity(nobleCrypto, new Uint8Array(32).fill(9));
const hash = (mark: number): Uint8Array => new Uint8Array(32).fill(mark);
const head = (size: bigint, mark: number): EntryBody => checkpointEntry({ origin: other.peer, size, root: hash(mark) });
const decided = (height: number, group = 'ab', block = 'cd'): EntryBody =>
  decisionEntry({ group: group.repeat(32), height, block: block.repeat(32) });
const capsule: EntryBody = capsuleEntry({
  capsule: 'ef'.repeat(32),
  author: other.peer,
  bytes: 4,
  level: 'public',
  parents: [],
});
const cut = ({ kind, body }: EntryBody): EntryBody => ({ kind, body: body.slice(0, -1) });

async function verified(...entries: readonly EntryBody[]) {
  const world = memoryWorld({ seed: 3, crypto: nobleCrypto });
  const { ledger, ledgerStore: store } = await openOwnLedger(world);
  await ledger.append(entries);
  const { origin } = ledger;
  const checkEntry = createStatementChecker(nobleCrypto, origin);
  return verifyLedger({ store, crypto: nobleCrypto, origin }, { checkEntry });
}

test('a log whose statements agree with each other holds, and kinds that nobody knows pass', async () => {
  const note: EntryBody = { kind: 'note', body: utf8('x') };
  const good = [
    capsule,
    decided(1),
    decided(2),
    decided(5),
    decided(1, 'cd', 'ef'),
    decided(2),
    head(3n, 1),
    head(3n, 1),
    head(9n, 2),
    note,
  ];
  expect(await verified(...good)).toMatchObject({ ok: true, checked: BigInt(good.length) });
});

test.each([
  ['a capsule that is cut short', [capsule, cut(capsule)]],
  ['another block of a height that was stated', [decided(2), decided(2, 'ab', '01')]],
  ['a decision that is none', [decided(1), { kind: 'decision', body: utf8('x') }]],
  ['a head of no length', [head(3n, 1), head(0n, 2)]],
  ['a word about a key that nobody signed', [decided(1), { kind: 'key', body: Uint8Array.of(8, 1, 18, 2, 1, 1) }]],
  ['a lease that nobody signed', [decided(1), { kind: 'lease', body: utf8('x') }]],
])('%s is named as the first bad entry', async (_, entries) => {
  expect(await verified(...entries)).toMatchObject({ ok: false, checked: 1n, firstBad: { index: 1n } });
});
