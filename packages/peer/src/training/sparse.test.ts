import { describe, expect, test } from 'vitest';
import { live } from '../testing/steps.ts';
import { areDone, begin, join, latest, trainingTown, untilTrained, whileTimeGoes } from '../testing/training-town.ts';
import type { TrainingRequest } from './training.schema.ts';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('a run with sparse updates', { timeout: 60_000 }, () => {
  test('says beforehand how little it sends, and gives its members one model that learned', async () => {
    const { world, at } = await trainingTown(2);
    const model: TrainingRequest['model'] = { kind: 'mlp', label: 'sign', hidden: [64, 16] };
    const begun = await begin(world, at(0), { compression: 'sparse', model, rounds: 10, localSteps: 10 });
    expect(begun.terms.compression).toBe('sparse');
    const { offers } = await whileTimeGoes(world.clock, at(1).peer.training.offers(live()));
    const { parameters, asks } = offers[0] ?? {};
    // A tenth of so few weights, where 4 bits of each would take half a byte.
    expect(parameters).toBeGreaterThan(1_000);
    expect(asks?.roundBytesSent).toBeLessThan((parameters ?? 0) / 8);
    await join(world, at(1));
    await untilTrained(world.clock, () => areDone(at(0), at(1)));
    const [one, other] = [await latest(at(0)), await latest(at(1))];
    expect(other.file?.sha256).toBe(one.file?.sha256);
    expect(other.now?.loss).toBeLessThan((other.first?.loss ?? 0) - 0.1);
  });

  test('has liars only with multi-Krum, and says so', async () => {
    const { world, at } = await trainingTown(1);
    const wish = { compression: 'sparse', liars: 1, membersMin: 5 } as const;
    await expect(begin(world, at(0), wish)).rejects.toThrow(code('INVALID_OPTION'));
    const run = await begin(world, at(0), { ...wish, aggregation: 'multi-krum' });
    expect(run.terms).toMatchObject({ compression: 'sparse', aggregation: 'multi-krum', liars: 1 });
  });
});
