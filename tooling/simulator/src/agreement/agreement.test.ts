import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { faultsOf } from '@peerai/ledger/agreement';
import { expect, test } from 'vitest';
import { type AgreementMutant, agreementMutants } from './mutants.ts';
import { simulateAgreement } from './simulation.ts';

/** What happened somewhere: a world in which nothing happens is safe too. */
const happened = new Map<string, number>();
const worldsPerTest = 50;

test.for(Array.from({ length: 20 }, (_, place) => 1 + place * worldsPerTest))(
  'fifty groups from seed %i on, with as many liars as may be, decide one chain each and go on once links and disks work; the first has real signatures',
  { timeout: 120_000 },
  async (first) => {
    for (let seed = first; seed < first + worldsPerTest; seed += 1) {
      const { ok, failure, counts } = await simulateAgreement(seed, seed === first ? { crypto: nodeCrypto } : {});
      expect({ seed, ok, failure }).toEqual({ seed, ok: true, failure: undefined });
      for (const [what, times] of counts) happened.set(what, (happened.get(what) ?? 0) + times);
    }
  },
);

test('in these groups everything happened that may', () => {
  const meant = [
    'crash',
    'decided',
    'decided after a failed view',
    'members changed',
    'settled',
    'proven conflicting-propose',
    'proven conflicting-notarize',
    'proven conflicting-finalize',
    'proven nullify-and-finalize',
  ];
  expect(meant.filter((what) => (happened.get(what) ?? 0) < 100)).toEqual([]);
});

test('the same seed gives the same world, another seed another', { timeout: 60_000 }, async () => {
  const [one, again, other] = [await simulateAgreement(7), await simulateAgreement(7), await simulateAgreement(8)];
  expect(again.traceHash).toBe(one.traceHash);
  expect(other.traceHash).not.toBe(one.traceHash);
});

/** What shows it, within so many worlds. */
async function firstFailure(options: Parameters<typeof simulateAgreement>[1]): Promise<string> {
  for (let seed = 1; seed <= 40; seed += 1) {
    const { failure, traceHash } = await simulateAgreement(seed, options);
    if (failure === undefined) continue;
    expect((await simulateAgreement(seed, options)).traceHash).toBe(traceHash);
    return failure;
  }
  return 'nothing';
}

test.for([4, 7])('one liar more than %i members bear is noticed', { timeout: 120_000 }, async (members) => {
  expect(await firstFailure({ members, liars: faultsOf(members) + 1 })).toMatch(/two blocks at height/);
});

const symptoms: Readonly<Record<AgreementMutant, RegExp>> = {
  'quorum-2f': /two blocks at height/,
  'skips-fsync': /honest member is proven|two blocks at height/,
  'forgets-lock': /honest member is proven|two blocks at height/,
  'unchecked-certificate': /two blocks at height/,
  'accepts-strangers': /two blocks at height/,
  'carries-unchecked': /hands on what/,
  'never-carries': /entries are not decided/,
};
/** Where it shows: of seven in a line of which two are silent nobody hears a quorum. */
const worlds: Readonly<Partial<Record<AgreementMutant, Parameters<typeof simulateAgreement>[1]>>> = {
  'carries-unchecked': { members: 4, shape: 'line' },
  'never-carries': { members: 7, shape: 'line', areSilent: true, healingMs: 10_000 },
};
test.for(agreementMutants)('the planted bug "%s" is caught', { timeout: 120_000 }, async (mutant) => {
  expect(await firstFailure({ mutant, members: 4, ...worlds[mutant] })).toMatch(symptoms[mutant]);
});
