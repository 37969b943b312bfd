import { type Checkpoint, type PeerId, peerIdFromPublicKey } from '@peerai/core-protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { all, crypto, flipped, type LedgerWorld, ledgerWorld, notes } from '../../test/world.ts';
import { encodeEntry } from '../log/entry.ts';
import { appendLeaf, emptyRange, leafHash, rootOf } from '../log/merkle.ts';
import { decodeProof, verifyProof } from '../log/proof-file.ts';
import { signCheckpoint } from '../log/note.ts';
import { entryKey, headKey } from '../log/rows.ts';
import { receiptKind } from '../receipt/receipt.ts';
import { evidenceIn, verifyEquivocation } from '../witness/index.ts';
import { encodePart, partKey } from './copy-rows.ts';
import { type Copies, copyLimits as limits, createCopies } from './index.ts';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const copiesOf = (world: LedgerWorld): Copies =>
  createCopies({ crypto, store: world.store.room('copies'), self: world.identity.peer });

interface Range {
  readonly checkpoint: Checkpoint;
  readonly from: bigint;
  readonly entries: readonly Uint8Array[];
  readonly path: readonly Uint8Array[];
}
async function rangeOf(world: LedgerWorld, from: bigint, to: bigint, under?: Checkpoint): Promise<Range> {
  const checkpoint = under ?? (await world.ledger.checkpoint());
  const entries = await all(world.ledger.read(from, to));
  const path = to === checkpoint.size ? [] : await world.ledger.proveConsistency(to, checkpoint.size);
  return { checkpoint, from, entries, path };
}
const take = (copies: Copies, { checkpoint, from, entries, path }: Range) =>
  copies.accept(checkpoint, from, entries, path);
/** The history of the same key that goes another way after `shared` entries. */
async function twin(shared: number, own: number, mark = 900): Promise<LedgerWorld> {
  const world = await ledgerWorld(1);
  await world.ledger.append(notes(shared));
  if (own > 0) await world.ledger.append(notes(own, mark));
  return world;
}

describe('a copy', () => {
  let writer: LedgerWorld;
  let holder: LedgerWorld;
  beforeAll(async () => {
    writer = await ledgerWorld(1);
    await writer.ledger.append(notes(300));
  });

  test('is taken in ranges under one checkpoint, goes on under newer ones, and is the same after a restart', async () => {
    holder = await ledgerWorld(2);
    const copies = copiesOf(holder);
    const world = await ledgerWorld(1);
    await world.ledger.append(notes(300));
    const first = await world.ledger.checkpoint();
    await take(copies, await rangeOf(world, 0n, 200n));
    expect(await copies.view(world.identity.peer)).toMatchObject({ size: 200n, headSize: 300n });
    await expect(copies.prove(world.identity.peer, 7n)).rejects.toThrow(code('NOT_IN_LOG'));
    expect(await copies.verify(world.identity.peer)).toMatchObject({ ok: true, checked: 200n, size: 300n });
    await world.ledger.append(notes(40, 300));
    await expect(rangeOf(world, 200n, 300n).then((range) => take(copies, range))).rejects.toThrow('first');
    await take(copiesOf(holder), await rangeOf(world, 200n, 300n, first));
    const again = copiesOf(holder);
    await take(again, await rangeOf(world, 300n, 340n));
    expect(await all(again.read(world.identity.peer, 0n, 999n))).toEqual(await all(world.ledger.read(0n, 340n)));
    expect(await again.prove(world.identity.peer, 7n)).toEqual(await world.ledger.prove(7n));
    const under = await again.proveUnder(world.identity.peer, 7n, first.note);
    expect(decodeProof(under).note).toBe(first.note);
    expect(verifyProof(crypto, under, (await all(world.ledger.read(7n, 8n)))[0] ?? new Uint8Array())).toMatchObject({
      size: 300n,
    });
    await expect(again.proveUnder(world.identity.peer, 300n, first.note)).rejects.toThrow(code('NOT_IN_LOG'));
    await world.ledger.append(notes(1, 340));
    const newer = (await world.ledger.checkpoint()).note;
    await expect(again.proveUnder(world.identity.peer, 7n, newer)).rejects.toThrow(code('NOT_IN_LOG'));
    expect(await again.consistency(world.identity.peer, 3n, 340n)).toEqual(
      await world.ledger.proveConsistency(3n, 340n),
    );
    expect(await copiesOf(holder).verify(world.identity.peer)).toMatchObject({ ok: true, checked: 340n });
  });

  test('takes no entry that was changed, left out, put in or signed by nobody, and names the first bad one', async () => {
    const copies = copiesOf(await ledgerWorld(3));
    const good = await rangeOf(writer, 0n, 20n);
    const last = good.entries[19] ?? new Uint8Array();
    const changed = good.entries.map((entry, index) => (index === 7 ? flipped(entry, entry.length - 1) : entry));
    const cases: readonly (readonly [string, Partial<Range>, object])[] = [
      ['a changed body', { entries: changed }, { code: 'INVALID_ENTRY', details: { index: 8n } }],
      ['one left out', { entries: good.entries.toSpliced(5, 1) }, { code: 'INVALID_ENTRY', details: { index: 5n } }],
      ['no entry', { entries: [new Uint8Array(9)] }, { code: 'INVALID_ENTRY', details: { index: 0n } }],
      [
        'the last one changed',
        { entries: [...good.entries.slice(0, 19), flipped(last, last.length - 1)] },
        { code: 'PROOF_WRONG' },
      ],
      ['one too few', { entries: good.entries.slice(1), from: 1n }, { code: 'INVALID_FORMAT' }],
      ['a wrong path', { path: good.path.slice(1) }, { code: 'PROOF_WRONG' }],
      ['no path', { path: [] }, { code: 'PROOF_WRONG' }],
    ];
    for (const [name, change, failure] of cases) {
      const error: unknown = await take(copies, { ...good, ...change }).catch((cause: unknown) => cause);
      expect(error, name).toMatchObject(failure);
    }
    expect(await copies.view(writer.identity.peer)).toBeUndefined();
    await take(copies, good);
  });

  test('takes no receipt that one side never signed', async () => {
    const liar = await ledgerWorld(1);
    const bytes = encodeEntry(liar.identity.publicKey, {
      seq: 0n,
      previous: new Uint8Array(32),
      kind: receiptKind,
      timeMs: 1,
      body: new Uint8Array(80),
    });
    const root = rootOf(crypto, appendLeaf(crypto, emptyRange, leafHash(crypto, bytes)));
    const checkpoint = { origin: liar.identity.peer, size: 1n, note: signCheckpoint(crypto, liar.identity, 1n, root) };
    const copies = copiesOf(await ledgerWorld(3));
    await expect(copies.accept(checkpoint, 0n, [bytes], [])).rejects.toMatchObject({
      code: 'INVALID_ENTRY',
      details: { index: 0n },
    });
  });

  test('meets a fork: of one size at once, of a smaller head by what is here, and of a larger one by its own path', async () => {
    const world = await ledgerWorld(4);
    const copies = copiesOf(world);
    const [a, b] = [await twin(5, 4), await twin(5, 7, 600)];
    const origin: PeerId = a.identity.peer;
    await take(copies, await rangeOf(a, 0n, 9n));
    const other = await twin(5, 0);
    await other.ledger.append(notes(4, 700));
    const found = async (attempt: Promise<unknown>) =>
      verifyEquivocation(crypto, evidenceIn(await attempt.catch((cause: unknown) => cause)) ?? new Uint8Array());
    const same = rangeOf(other, 9n, 9n).then((range) => take(copies, range));
    expect(await found(same)).toMatchObject({ origin, kind: 'size', heads: [{ size: 9n }, { size: 9n }] });
    const smaller = await ledgerWorld(1);
    await smaller.ledger.append(notes(7, 500));
    expect(await found(copies.compare((await smaller.ledger.checkpoint()).note))).toMatchObject({
      kind: 'growth',
      heads: [{ size: 7n }, { size: 9n }],
    });
    await copies.compare((await (await twin(5, 0)).ledger.checkpoint()).note);
    await expect(rangeOf(b, 9n, 12n).then((range) => take(copies, range))).rejects.toThrow(code('INVALID_ENTRY'));
    expect(await copies.view(origin)).toMatchObject({ size: 9n });
    const holder = copiesOf(await ledgerWorld(5));
    await take(holder, await rangeOf(b, 0n, 12n));
    const note = (await copies.view(origin))?.note ?? '';
    expect(await found(holder.compare(note))).toMatchObject({ kind: 'growth', heads: [{ size: 9n }, { size: 12n }] });
    const claim = await holder.prefix(origin, 9n);
    expect(claim?.root).toHaveLength(32);
  });

  test('whose rows were changed says so, and can be removed and taken again', async () => {
    const world = await ledgerWorld(6);
    await take(copiesOf(world), await rangeOf(writer, 0n, 10n));
    const room = world.store.room('copies').room(writer.identity.peer);
    const head = (await room.get(headKey)) ?? new Uint8Array();
    const row = (await room.get(entryKey(3n))) ?? new Uint8Array();
    await room.commit([room.put(entryKey(3n), flipped(row, row.length - 1))]);
    expect(await copiesOf(world).verify(writer.identity.peer)).toMatchObject({ ok: false, firstBad: { index: 3n } });
    await room.commit([room.put(headKey, flipped(head, head.length - 1))]);
    await expect(copiesOf(world).view(writer.identity.peer)).rejects.toThrow(code('LEDGER_DAMAGED'));
    const copies = copiesOf(world);
    await copies.remove(writer.identity.peer);
    expect(await copies.list()).toEqual([]);
    await take(copies, await rangeOf(writer, 0n, 10n));
  });

  test('is not made of our own log, nor beyond the bounds', async () => {
    await expect(rangeOf(writer, 0n, 5n).then((range) => take(copiesOf(writer), range))).rejects.toThrow(
      code('INVALID_FORMAT'),
    );
    const world = await ledgerWorld(7);
    const copies = copiesOf(world);
    await take(copies, await rangeOf(writer, 0n, BigInt(limits.rangeEntriesMax)));
    const more = rangeOf(writer, 0n, BigInt(limits.rangeEntriesMax) + 1n);
    await expect(more.then((range) => take(copies, range))).rejects.toThrow(code('LIMIT_EXCEEDED'));
    const room = world.store.room('copies');
    const ids = Array.from({ length: limits.originsMax - 1 }, (_, index) =>
      peerIdFromPublicKey(new Uint8Array(32).fill(index)),
    );
    await room.commit(ids.slice(1).map((id) => room.put(`copy/${id}`, new Uint8Array())));
    const late = await ledgerWorld(8);
    await late.ledger.append(notes(2));
    await take(copies, await rangeOf(late, 0n, 1n));
    const later = await ledgerWorld(9);
    await later.ledger.append(notes(1));
    await expect(rangeOf(later, 0n, 1n).then((range) => take(copies, range))).rejects.toThrow(code('LIMIT_REACHED'));
    const [entry = new Uint8Array()] = (await rangeOf(late, 1n, 2n)).entries;
    for (const [bytes, taken] of [
      [limits.bytesPerOriginMax - entry.length + 1, false],
      [limits.bytesPerOriginMax - entry.length, true],
    ] as const) {
      const own = room.room(late.identity.peer);
      const { path } = await rangeOf(late, 0n, 1n);
      await own.commit([own.put(partKey, encodePart({ path, bytes }))]);
      const attempt = rangeOf(late, 1n, 2n).then((range) => take(copiesOf(world), range));
      await (taken ? attempt : expect(attempt).rejects.toThrow(code('LIMIT_REACHED')));
    }
  });
});
