import { expect, test } from 'vitest';
import { type Mutant, mutants, runSimulation } from './index.ts';

const small = { peers: 4, steps: 60 };

/** What happened somewhere: a world in which nothing happens keeps its promises too. */
const outcomes = new Set<string>();
const worldsPerTest = 50;

test.for(Array.from({ length: 10 }, (_, place) => 1 + place * worldsPerTest))(
  'fifty worlds from seed %i on, each with its own luck, keep every promise that was made in them',
  { timeout: 120_000 },
  async (first) => {
    for (let seed = first; seed < first + worldsPerTest; seed += 1) {
      const { ok, failure, counts } = await runSimulation(seed, small);
      expect({ seed, ok, failure }).toEqual({ seed, ok: true, failure: undefined });
      for (const outcome of counts.keys()) outcomes.add(outcome);
    }
  },
);

test('in these worlds everything happened that may', () => {
  const meant = [
    'pair accepted',
    'pair rejected',
    'message delivered',
    'message queued',
    'relay kept',
    'delegate given',
    'task completed',
    'task failed',
    'ask finish',
    'guest-ask finish',
    'share made',
    'stop stopped',
  ];
  expect(meant.filter((outcome) => !outcomes.has(outcome))).toEqual([]);
});

test('the same seed gives the same world, another seed another', { timeout: 20_000 }, async () => {
  const [one, again, other] = [
    await runSimulation(7, small),
    await runSimulation(7, small),
    await runSimulation(8, small),
  ];
  expect(again.trace).toEqual(one.trace);
  expect(again.traceHash).toBe(one.traceHash);
  expect(other.traceHash).not.toBe(one.traceHash);
});

test.for(mutants)(
  'the planted bug "%s" is caught, with the seed and the step where it shows',
  { timeout: 120_000 },
  async (mutant) => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const { failure, traceHash } = await runSimulation(seed, { ...small, mutant });
      if (failure === undefined) continue;
      expect(failure.what).toMatch(symptoms[mutant]);
      expect((await runSimulation(seed, { ...small, mutant })).traceHash).toBe(traceHash);
      return;
    }
    expect.unreachable(`60 worlds did not show ${mutant}`);
  },
);

const symptoms: Readonly<Record<Mutant, RegExp>> = {
  'skips-fsync': /is lost|is gone|only the .+ log has|charged|does not verify/,
  'forgets-inbox-marks': /was handled twice/,
  'reverses-outbox': /came after/,
};
