import { PeerAiError } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crypto, ledgerWorld, notes } from '../../test/world.ts';
import { openCheckpoint, signatureLine, signCheckpoint } from '../log/note.ts';
import { subtreeReader } from '../log/tiles.ts';
import {
  claimPrefix,
  cosign,
  createWitness,
  encodeAddCheckpoint,
  evidenceOfGrowth,
  evidenceOfSize,
  offenceId,
  verifyEquivocation,
  withCosignatures,
} from './index.ts';
import { witnessLimits as limits } from './limits.ts';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
/** A log of one key: the first entries are the same in every twin, those after `shared` its own. */
async function twin(shared: number, own: number, mark: number) {
  const world = await ledgerWorld(1);
  if (shared > 0) await world.ledger.append(notes(shared));
  const early = (await world.ledger.checkpoint()).note;
  if (own > 0) await world.ledger.append(notes(own, mark));
  const { note, size } = await world.ledger.checkpoint();
  return { world, early, note, size, read: subtreeReader(crypto, world.room) };
}

describe('evidence of a fork', () => {
  test('of one size is the two notes, the same bytes whoever found them and whoever cosigned', async () => {
    const [a, b] = [await twin(3, 2, 100), await twin(3, 2, 200)];
    const witness = await ledgerWorld(5);
    const cosigned = withCosignatures(a.note, [cosign(crypto, witness.identity, a.note, 9)]);
    const evidence = evidenceOfSize(crypto, cosigned, b.note) ?? new Uint8Array();
    expect(evidenceOfSize(crypto, b.note, a.note)).toEqual(evidence);
    expect(verifyEquivocation(crypto, evidence)).toMatchObject({ origin: a.world.identity.peer, kind: 'size' });
    expect(evidenceOfSize(crypto, a.note, a.note)).toBeUndefined();
    expect(evidenceOfSize(crypto, a.note, a.early)).toBeUndefined();
  });

  test('holds whatever lines of other keys stand under the writer’s name before its own', async () => {
    const [a, b] = [await twin(3, 2, 100), await twin(3, 2, 200)];
    const { peer } = a.world.identity;
    const decoy = (text: string) =>
      text.replace('\n\n', `\n\n${signatureLine({ name: peer, blob: new Uint8Array(4 + 64).fill(7) })}`);
    expect(openCheckpoint(crypto, decoy(a.note)).size).toBe(a.size);
    expect(evidenceOfSize(crypto, decoy(a.note), decoy(b.note))).toEqual(evidenceOfSize(crypto, a.note, b.note));
    const witness = createWitness({
      ...b.world,
      identity: (await ledgerWorld(5)).identity,
      store: b.world.store.room('witness'),
    });
    await witness.add(encodeAddCheckpoint({ oldSize: 0n, path: [], note: decoy(a.note) }));
    expect((await witness.heads()).map(({ note }) => note)).toEqual([a.note]);
  });

  test('of two sizes is a path in the larger tree from a root the smaller note does not have, whatever the sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        async (shared, ownA, more) => {
          const [a, b] = [await twin(shared, ownA, 100), await twin(shared, ownA + more, 200)];
          const claim = await claimPrefix(crypto, b.read, a.size, b.size);
          const evidence = evidenceOfGrowth(crypto, a.note, b.note, claim) ?? new Uint8Array();
          const found = verifyEquivocation(crypto, evidence);
          expect(found).toMatchObject({ kind: 'growth', heads: [{ size: a.size }, { size: b.size }] });
          expect(offenceId(crypto, found)).toHaveLength(32);
        },
      ),
      { numRuns: 25, seed: 5 },
    );
  });

  test('can not be made against a log that only grew, nor out of another key’s notes, nor without a path', async () => {
    const [a, b] = [await twin(3, 0, 0), await twin(3, 5, 100)];
    const honest = await claimPrefix(crypto, b.read, a.size, b.size);
    expect(evidenceOfGrowth(crypto, a.note, b.note, honest)).toBeUndefined();
    const claims = [
      { ...honest, root: new Uint8Array(32).fill(1) },
      { root: new Uint8Array(32).fill(1), path: [] },
      { ...honest, root: new Uint8Array(31) },
      { root: honest.path[0] ?? new Uint8Array(), path: honest.path.slice(1) },
    ];
    for (const claim of claims) expect(evidenceOfGrowth(crypto, a.note, b.note, claim)).toBeUndefined();
    const other = await ledgerWorld(9);
    const foreign = signCheckpoint(crypto, other.identity, 3n, new Uint8Array(32));
    expect(evidenceOfSize(crypto, a.note, foreign)).toBeUndefined();
    expect(evidenceOfGrowth(crypto, foreign, b.note, claims[0] ?? honest)).toBeUndefined();
  });

  test('does not survive a changed byte as another accusation: 2,000 damaged ones', async () => {
    const [a, b] = [await twin(3, 2, 100), await twin(3, 4, 200)];
    const evidence =
      evidenceOfGrowth(crypto, a.note, b.note, await claimPrefix(crypto, b.read, a.size, b.size)) ?? new Uint8Array();
    const original = offenceId(crypto, verifyEquivocation(crypto, evidence));
    const random = seededRandom(3);
    let refused = 0;
    for (let round = 0; round < 2_000; round += 1) {
      try {
        expect(offenceId(crypto, verifyEquivocation(crypto, mutated(evidence, random)))).toEqual(original);
      } catch (error) {
        expect(PeerAiError.is(error), String(error)).toBe(true);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(1_500);
    expect(() => verifyEquivocation(crypto, new Uint8Array(limits.evidenceBytesMax + 1))).toThrow(
      code('LIMIT_EXCEEDED'),
    );
    expect(() => verifyEquivocation(crypto, new Uint8Array(limits.evidenceBytesMax))).toThrow(code('INVALID_FORMAT'));
  });
});
