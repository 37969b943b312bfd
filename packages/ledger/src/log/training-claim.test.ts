import { type EntryBody, type Identity, sealSigned, utf8, wire } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { all, crypto, ledgerWorld, type LedgerWorld } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { createCopies } from '../sync/copies.ts';
import {
  decodeTrainingCommit,
  decodeTrainingReveal,
  encodeTrainingCommit,
  encodeTrainingReveal,
  openRevealed,
  trainingCommitKind,
  trainingRevealKind,
  updateCommitment,
} from './training-claim.ts';
import { encodeTrainingRound, trainingRoundKind } from './training-round.ts';
import { verifyLog } from './verify-log.ts';

const hashOf = (text: string): Uint8Array => crypto.sha256(utf8(text));
const run = hashOf('run');
/** The whole form of a receipt, as docs/protocol/train.md has it. */
const receiptForm = wire.message({
  run: wire.bytes(1),
  term: wire.uint32(2),
  round: wire.uint32(3),
  base: wire.bytes(4),
  update: wire.bytes(5),
  updateBytes: wire.uint32(6),
  loss: wire.double(7),
});
const salts = seededRandom(7);

/** An update of one round, with all its writer may say of it. */
function updateOf(identity: Identity, round: number, name = 'update') {
  const salt = salts.bytes(32);
  const base = hashOf(`state ${round}`);
  const said = { run, term: 1, round, base, update: hashOf(name), updateBytes: 40, loss: 0.5 };
  const receipt = sealSigned(identity, 'peerai/train/1 update', receiptForm.encode(said));
  const commitment = updateCommitment(crypto, salt, receipt);
  const commit = (instead?: Uint8Array, at = { run, round, base }): EntryBody => ({
    kind: trainingCommitKind,
    body: encodeTrainingCommit({ ...at, commitment, instead }),
  });
  const reveal: EntryBody = { kind: trainingRevealKind, body: encodeTrainingReveal({ salt, receipt }) };
  const facts = { run, round, before: base, after: hashOf(`state ${round + 1}`), receipts: hashOf('receipts') };
  const result: EntryBody = {
    kind: trainingRoundKind,
    body: encodeTrainingRound({ ...facts, counted: 2, refused: 0, own: receipt }),
  };
  return { salt, receipt, commitment, commit, reveal, result };
}
type Update = ReturnType<typeof updateOf>;
const whole = ({ commit, reveal, result }: Update): EntryBody[] => [commit(), reveal, result];

/** What every reader says of a log: its writer, who has the file, and who takes a copy in two ranges. */
async function judged({ ledger, identity }: LedgerWorld) {
  const entries = await all(ledger.read(0n, ledger.size));
  const checkpoint = await ledger.checkpoint();
  const own = await ledger.verify();
  const file = await verifyLog(crypto, { note: checkpoint.note, entries });
  const reader = await ledgerWorld(99);
  const copies = createCopies({ crypto, store: reader.store.room('copies'), self: reader.identity.peer });
  const half = entries.length - 1;
  let copied = 'ok';
  try {
    await copies.accept(
      checkpoint,
      0n,
      entries.slice(0, half),
      await ledger.proveConsistency(BigInt(half), ledger.size),
    );
    // The second range is taken by a reader that was started again.
    const later = createCopies({ crypto, store: reader.store.room('copies'), self: reader.identity.peer });
    await later.accept(checkpoint, BigInt(half), entries.slice(half), []);
    expect(await later.verify(identity.peer)).toMatchObject({ ok: true });
  } catch (error) {
    copied = `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
  expect(file.firstBad).toEqual(own.firstBad);
  expect(copied === 'ok').toBe(own.ok);
  if (own.firstBad !== undefined) {
    expect(copied).toContain(own.firstBad.reason);
    expect(copied).toContain('INVALID_ENTRY');
  }
  return own;
}

describe('what a log says of its writer’s updates', () => {
  test('holds together as commitment, reveal and result, round after round', async () => {
    const world = await ledgerWorld(60);
    const rounds = [0, 1, 2].map((round) => updateOf(world.identity, round));
    await world.ledger.append(rounds.flatMap(whole));
    expect(await judged(world)).toMatchObject({ ok: true, size: 9n, rounds: 3 });
  });

  test('may begin a round again, as long as it says so, and reveal whichever of the two counted', async () => {
    const world = await ledgerWorld(61);
    const [first, second] = [updateOf(world.identity, 3), updateOf(world.identity, 3, 'again')];
    const back = updateOf(world.identity, 2, 'a round that was learned again');
    await world.ledger.append([first.commit(), second.commit(first.commitment), first.reveal, first.result]);
    await world.ledger.append([back.commit(second.commitment), back.reveal, back.result]);
    expect(await judged(world)).toMatchObject({ ok: true, rounds: 2 });
  });

  const cases: readonly (readonly [string, string, (world: LedgerWorld, other: Update, one: Update) => EntryBody[]])[] =
    [
      ['a reveal without its commitment', 'was not committed to in round 4', (_, __, one) => [one.reveal]],
      [
        'a reveal of another update than it committed to',
        'was not committed to in round 4',
        ({ identity }, __, one) => [one.commit(), updateOf(identity, 4, 'chosen later').reveal],
      ],
      [
        'a reveal under another salt',
        'was not committed to in round 4',
        (_, __, one) => [
          one.commit(),
          { ...one.reveal, body: encodeTrainingReveal({ salt: hashOf('salt'), receipt: one.receipt }) },
        ],
      ],
      [
        'a reveal of a commitment to another round',
        'committed to as one of round 5',
        (_, __, one) => [one.commit(undefined, { run, round: 5, base: hashOf('state 4') }), one.reveal],
      ],
      ['a second reveal', 'a second reveal', (_, __, one) => [one.commit(), one.reveal, one.reveal]],
      [
        'the commitment and the update of another peer',
        'another peer’s update',
        (_, other) => [other.commit(), other.reveal],
      ],
      [
        'two commitments to one round, of which the second is silent of the first',
        'a second commitment to round 4',
        ({ identity }, __, one) => [one.commit(), updateOf(identity, 4, 'other').commit()],
      ],
      [
        'a commitment in the place of one that is not the newest',
        'a second commitment to round 4',
        ({ identity }, other, one) => [one.commit(), updateOf(identity, 4, 'other').commit(other.commitment)],
      ],
      [
        'a commitment in the place of none',
        'takes the place of one that it is not in',
        (_, other, one) => [one.commit(other.commitment)],
      ],
      [
        'one commitment twice',
        'the same commitment to round 4 twice',
        (_, __, one) => [one.commit(), one.commit(one.commitment)],
      ],
      [
        'a result that counts an update which was not revealed',
        'counts an update that was not revealed',
        (_, __, one) => [one.commit(), one.result],
      ],
      [
        'a result that counts another update than the revealed one',
        'counts an update that was not revealed',
        ({ identity }, __, one) => [one.commit(), one.reveal, updateOf(identity, 4, 'other').result],
      ],
    ];
  test.each(cases)('is refused by every reader: %s', async (_, reason, made) => {
    const world = await ledgerWorld(62);
    const { identity } = await ledgerWorld(63);
    await world.ledger.append([
      ...whole(updateOf(world.identity, 3)),
      ...made(world, updateOf(identity, 4), updateOf(world.identity, 4)),
    ]);
    expect(await judged(world)).toMatchObject({
      ok: false,
      firstBad: { index: world.ledger.size - 1n, reason: expect.stringContaining(reason) },
    });
  });

  test('of before commitments were stated holds still: a result alone', async () => {
    const world = await ledgerWorld(64);
    const [before, after] = [updateOf(world.identity, 0), updateOf(world.identity, 1)];
    await world.ledger.append([before.result, ...whole(after)]);
    expect(await judged(world)).toMatchObject({ ok: true, rounds: 2 });
  });

  test('reaches back as many commitments as the limit, and no further', async () => {
    for (const more of [0, 1]) {
      const world = await ledgerWorld(65);
      const tries = Array.from({ length: limits.commitmentsLiveMax + more }, (_, index) =>
        updateOf(world.identity, 3, `try ${index}`),
      );
      const commits = tries.map(({ commit }, index) => commit(tries[index - 1]?.commitment));
      const [first] = tries;
      if (first === undefined) throw new Error('no try');
      await world.ledger.append([...commits, first.reveal]);
      expect((await judged(world)).ok, `${tries.length} commitments`).toBe(more === 0);
    }
  });
});

test('a commitment hides what is known, and binds to its signer', async () => {
  const [{ identity }, other] = [await ledgerWorld(66), await ledgerWorld(67)];
  const { salt, receipt, commitment } = updateOf(identity, 3);
  // Who knows the receipt, byte for byte, still has 256 bits of salt to guess.
  expect(updateCommitment(crypto, hashOf('guess'), receipt)).not.toEqual(commitment);
  const copied = updateOf(other.identity, 3);
  expect(openRevealed(crypto, copied.receipt).update).toEqual(openRevealed(crypto, receipt).update);
  expect(updateCommitment(crypto, salt, copied.receipt)).not.toEqual(commitment);
  expect(openRevealed(crypto, receipt)).toMatchObject({ round: 3, signer: identity.peer });
});

test('commitment and reveal have hashes of 32 bytes, version 1, and a receipt no longer than the limit', async () => {
  const { identity } = await ledgerWorld(68);
  const { salt, receipt, commitment } = updateOf(identity, 3);
  const code = (expected: string) => expect.objectContaining({ code: expected });
  const commit = { run, round: 3, base: hashOf('base'), commitment, instead: hashOf('before') };
  expect(decodeTrainingCommit(encodeTrainingCommit(commit))).toEqual({ version: 1, ...commit });
  expect(decodeTrainingReveal(encodeTrainingReveal({ salt, receipt }))).toEqual({ version: 1, salt, receipt });
  for (const name of ['run', 'base', 'commitment', 'instead'] as const)
    expect(() => decodeTrainingCommit(encodeTrainingCommit({ ...commit, [name]: new Uint8Array(31) }))).toThrow(
      code('INVALID_FORMAT'),
    );
  expect(() => encodeTrainingReveal({ salt: salt.subarray(1), receipt })).toThrow(code('INVALID_FORMAT'));
  for (const [body, decode] of [
    [encodeTrainingCommit(commit), decodeTrainingCommit],
    [encodeTrainingReveal({ salt, receipt }), decodeTrainingReveal],
  ] as const) {
    body[1] = 2;
    expect(() => decode(body)).toThrow(code('INVALID_VERSION'));
  }
  const most = new Uint8Array(limits.updateReceiptBytesMax);
  expect(decodeTrainingReveal(encodeTrainingReveal({ salt, receipt: most })).receipt).toHaveLength(most.length);
  const above = new Uint8Array(limits.updateReceiptBytesMax + 1);
  expect(() => encodeTrainingReveal({ salt, receipt: above })).toThrow(code('LIMIT_EXCEEDED'));
});
