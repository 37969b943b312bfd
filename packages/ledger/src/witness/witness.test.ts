import { fromHex, PeerAiError, type PeerId, toHex, utf8 } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { crypto, type LedgerWorld, ledgerWorld, notes } from '../../test/world.ts';
import { fromBase64 } from '../log/base64.ts';
import { noteKeyId, signCheckpoint, splitNote } from '../log/note.ts';
import {
  cosign,
  createWitness,
  decodeAddCheckpoint,
  encodeAddCheckpoint,
  evidenceIn,
  openWitnessed,
  readCosigners,
  verifyEquivocation,
  verifyWitnessedProof,
  type Witness,
  withCosignatures,
  witnessLimits as limits,
} from './index.ts';
import { cosignatureType, openCosignature } from './cosignature.ts';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const witnessOf = (world: LedgerWorld): Witness => createWitness({ ...world, store: world.store.room('witness') });
const note = async (world: LedgerWorld): Promise<string> => (await world.ledger.checkpoint()).note;
/** What the log's writer asks a witness that knows `oldSize` entries. */
async function request(world: LedgerWorld, oldSize: bigint): Promise<Uint8Array> {
  const { size } = world.ledger;
  const path = oldSize === 0n || oldSize === size ? [] : await world.ledger.proveConsistency(oldSize, size);
  return encodeAddCheckpoint({ oldSize, path, note: await note(world) });
}

describe('a cosignature', () => {
  test('has the key id of C2SP tlog-cosignature: the published key of the Remora witness', () => {
    const key = fromBase64('BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2');
    expect(key[0]).toBe(cosignatureType);
    expect(toHex(noteKeyId(crypto, 'remora.n621.de', key.slice(1), cosignatureType))).toBe('da77ade7');
  });

  test('carries its time as C2SP writes it, and signs it with the three lines', async () => {
    const world = await ledgerWorld(1);
    const { signatures, text } = splitNote(
      withCosignatures(await note(world), [cosign(crypto, world.identity, await note(world), 1_727_964_367)]),
    );
    const blob = signatures[1]?.blob ?? new Uint8Array();
    expect(toHex(blob.slice(4, 12))).toBe('0000000066fea4cf');
    const signed = utf8(`cosignature/v1\ntime 1727964367\n${text}`);
    expect(crypto.ed25519.verify(blob.slice(12), signed, world.identity.publicKey)).toBe(true);
    const late = blob.slice();
    late[11] = (late[11] ?? 0) ^ 1;
    const line = { name: world.identity.peer, blob: late };
    expect(() => openCosignature(crypto, text, line, world.identity.publicKey)).toThrow(code('INVALID_SIGNATURE'));
  });

  test('stands once a witness under a note, and of more than 15 the first stay', async () => {
    const writer = await ledgerWorld(1);
    const plain = await note(writer);
    const lines: string[] = [];
    for (let seed = 10; seed < 10 + limits.cosignaturesMax; seed += 1) {
      const { identity } = await ledgerWorld(seed);
      lines.push(cosign(crypto, identity, plain, 5), cosign(crypto, identity, plain, 7));
    }
    const full = withCosignatures(plain, lines);
    const cosigners = readCosigners(crypto, full);
    expect(cosigners).toHaveLength(limits.cosignaturesMax);
    expect(cosigners.every(({ timeS }) => timeS === 7)).toBe(true);
    const more = cosign(crypto, (await ledgerWorld(99)).identity, plain, 9);
    expect(withCosignatures(full, [more])).toBe(full);
  });
});

describe('a policy of k witnesses out of n', () => {
  test('takes a proof with k of them under it, and neither fewer, nor the writer itself, nor strangers instead', async () => {
    const [writer, a, b, stranger] = [
      await ledgerWorld(1),
      await ledgerWorld(2),
      await ledgerWorld(3),
      await ledgerWorld(4),
    ];
    await writer.ledger.append(notes(5));
    const plain = await note(writer);
    const by = (...worlds: LedgerWorld[]): string =>
      withCosignatures(
        plain,
        worlds.map(({ identity }) => cosign(crypto, identity, plain, 7)),
      );
    const policy = { witnesses: [a.identity.peer, b.identity.peer, writer.identity.peer], quorum: 2 };
    expect(openWitnessed(crypto, by(a, b), policy).cosigners).toHaveLength(2);
    for (const note of [plain, by(a), by(a, stranger), by(a, writer), by(writer, stranger)])
      expect(() => openWitnessed(crypto, note, policy)).toThrow(code('WITNESSES_MISSING'));
    const proof = new TextDecoder().decode(await writer.ledger.prove(3n)).replace(plain, by(b, a));
    const entry = await first(writer.ledger.read(3n, 4n));
    expect(verifyWitnessedProof(crypto, utf8(proof), entry, policy).value.index).toBe(3n);
    const forged = by(a, b).replace(/(\n— \S+ \S+\n)$/u, (line) => line.replace('AAAAAAAA', 'AAAAAAAB'));
    expect(() => openWitnessed(crypto, forged, policy)).toThrow(code('INVALID_SIGNATURE'));
  });

  test('is refused when it can never be kept, or names too many', () => {
    const names = (count: number) => Array.from({ length: count }, (_, index) => `w${index}` as PeerId);
    const open = (witnesses: PeerId[], quorum: number) => () => openWitnessed(crypto, '', { witnesses, quorum });
    expect(open(names(2), 3)).toThrow(code('INVALID_FORMAT'));
    expect(open(['w', 'w'] as PeerId[], 2)).toThrow('2 of 1 witnesses');
    expect(open(names(limits.policyWitnessesMax + 1), 1)).toThrow(code('LIMIT_EXCEEDED'));
    expect(open(names(limits.policyWitnessesMax), 1)).toThrow('signed note');
  });
});

async function first<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) return item;
  throw new Error('nothing');
}

describe('a witness', () => {
  test('signs what follows all it signed before, and remembers it over a restart', async () => {
    const [writer, world] = [await ledgerWorld(1), await ledgerWorld(2)];
    for (const oldSize of [0n, 3n, 6n]) {
      if (oldSize < 6n) await writer.ledger.append(notes(3, Number(oldSize)));
      const line = await witnessOf(world).add(await request(writer, oldSize));
      const cosigned = withCosignatures(await note(writer), [line]);
      expect(readCosigners(crypto, cosigned)).toEqual([
        { witness: world.identity.peer, timeS: Math.floor(world.clock.nowMs() / 1_000) },
      ]);
    }
    expect((await witnessOf(world).heads()).map(({ origin, size }) => [origin, size])).toEqual([
      [writer.identity.peer, 6n],
    ]);
  });

  test('refuses another start, a smaller log, a log that does not follow, and its own', async () => {
    const [writer, world] = [await ledgerWorld(1), await ledgerWorld(2)];
    await writer.ledger.append(notes(3));
    const witness = witnessOf(world);
    const add = (change: object) => async () =>
      witness.add(encodeAddCheckpoint({ ...decodeAddCheckpoint(await request(writer, 0n)), ...change }));
    await expect(add({ oldSize: 1n })()).rejects.toMatchObject({ code: 'WITNESS_CONFLICT', details: { size: 0n } });
    await expect(add({ path: [new Uint8Array(32)] })()).rejects.toThrow(code('INVALID_FORMAT'));
    await witness.add(await request(writer, 0n));
    await writer.ledger.append(notes(2, 3));
    await expect(add({})()).rejects.toMatchObject({ code: 'WITNESS_CONFLICT', details: { size: 3n } });
    await expect(add({ oldSize: 3n })()).rejects.toThrow(code('PROOF_WRONG'));
    const small = signCheckpoint(crypto, writer.identity, 2n, new Uint8Array(32));
    await expect(add({ oldSize: 3n, note: small })()).rejects.toThrow(code('INVALID_FORMAT'));
    expect((await witness.head(writer.identity.peer))?.size).toBe(3n);
    await expect(witnessOf(writer).add(await request(writer, 0n))).rejects.toThrow(code('INVALID_FORMAT'));
  });

  test('that is shown another root for a size it signed proves the fork', async () => {
    const [writer, world, reader] = [await ledgerWorld(1), await ledgerWorld(2), await ledgerWorld(3)];
    await writer.ledger.append(notes(3));
    const witness = witnessOf(world);
    await witness.add(await request(writer, 0n));
    const twin = await ledgerWorld(1);
    await twin.ledger.append(notes(3, 100));
    const error: unknown = await witness.add(await request(twin, 3n)).catch((cause: unknown) => cause);
    const evidence = evidenceIn(error) ?? new Uint8Array();
    expect(verifyEquivocation(reader.crypto, evidence)).toMatchObject({ origin: writer.identity.peer, kind: 'size' });
  });

  test('stands for so many logs and no more, and for those it knows still', async () => {
    const world = await ledgerWorld(2);
    const room = world.store.room('witness');
    const writer = await ledgerWorld(1);
    await writer.ledger.append(notes(1));
    const witness = witnessOf(world);
    const fill = Array.from({ length: limits.originsMax - 1 }, (_, index) => room.put(`w/${index}`, new Uint8Array()));
    await room.commit(fill);
    await witness.add(await request(writer, 0n));
    const other = await ledgerWorld(3);
    await expect(witness.add(await request(other, 0n))).rejects.toThrow(code('LIMIT_REACHED'));
    await writer.ledger.append(notes(1));
    await witness.add(await request(writer, 1n));
    await witness.forget(writer.identity.peer);
    await witness.add(await request(other, 0n));
  });

  test('reads no request it was not meant to: 2,000 damaged ones fail with our errors alone', async () => {
    const [writer, world] = [await ledgerWorld(1), await ledgerWorld(2)];
    await writer.ledger.append(notes(7));
    const witness = witnessOf(world);
    await witness.add(encodeAddCheckpoint({ oldSize: 0n, path: [], note: await noteAt(3) }));
    const good = await request(writer, 3n);
    const random = seededRandom(7);
    for (let round = 0; round < 2_000; round += 1) {
      try {
        decodeAddCheckpoint(mutated(good, random));
      } catch (error) {
        expect(PeerAiError.is(error)).toBe(true);
      }
    }
    const tooMany = (count: number) => () =>
      decodeAddCheckpoint(encodeAddCheckpoint({ oldSize: 0n, path: Array(count).fill(fromHex('00')), note: '' }));
    expect(tooMany(limits.proofHashesMax)().path).toHaveLength(limits.proofHashesMax);
    expect(tooMany(limits.proofHashesMax + 1)).toThrow(code('LIMIT_EXCEEDED'));
    expect(() => decodeAddCheckpoint(new Uint8Array(limits.requestBytesMax + 1))).toThrow('too long');
    expect(() => decodeAddCheckpoint(new Uint8Array(limits.requestBytesMax))).toThrow('no empty line');
  });
});

async function noteAt(size: number): Promise<string> {
  const twin = await ledgerWorld(1);
  await twin.ledger.append(notes(size));
  return note(twin);
}
