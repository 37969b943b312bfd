import { expect, test } from 'vitest';
import { runSimulation } from './index.ts';

const small = { peers: 4, steps: 60 };

test(
  'twenty worlds, each with its own luck, keep every promise that was made in them',
  { timeout: 60_000 },
  async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const { ok, failure, counts } = await runSimulation(seed, small);
      expect({ seed, ok, failure }).toEqual({ seed, ok: true, failure: undefined });
      for (const outcome of counts.keys()) outcomes.add(outcome);
    }
    // A world in which nothing happens keeps its promises too: these must have happened somewhere.
    const meant = [
      'pair accepted',
      'pair rejected',
      'message delivered',
      'message queued',
      'ask finish',
      'guest-ask finish',
      'share made',
      'stop stopped',
    ];
    expect(meant.filter((outcome) => !outcomes.has(outcome))).toEqual([]);
  },
);

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

test(
  'a disk that loses its last commit when its process is killed is caught, with the step where it shows',
  { timeout: 60_000 },
  async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= 20; seed += 1) {
      const { failure } = await runSimulation(seed, { ...small, diskFault: 'loses-last-commit' });
      if (failure !== undefined) found.push(`seed ${seed}, step ${failure.step}: ${failure.what}`);
    }
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]).toMatch(/^seed \d+, step \d+: .+/);
  },
);
