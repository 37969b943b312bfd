import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { type Bench, type BenchContext, type Result, resultOf } from '../harness.ts';
import { repositoryText, type Text } from '../rounds/corpus.ts';
import { type Kept, keptParts } from '../rounds/kept.ts';
import { modelSize, rowLength } from '../rounds/model.ts';
import { type Line, plotOf } from '../rounds/plot.ts';
import { type Curve, type Plan, trainAlone, trainTogether } from '../rounds/together.ts';

/** Steps of every part; in rounds of `stepsOf` they send at least 500 times less than float32 gradients. */
const stepsAll = 6_400;
const stepsQuick = 640;
/** Local steps of a round, by bits. */
const stepsOf = { 4: 80, 8: 128 } as const;
const shape = { members: 2, rows: 2, outer: { learningRate: 1, momentum: 0 }, judged: { each: 4, last: 64 } };
const bitsOf = [4, 8] as const;
type Bits = (typeof bitsOf)[number];

const goalTimes = 500;
const goalGap = 1;

interface Measured {
  readonly joined: Curve;
  readonly single: Curve;
  readonly together: Readonly<Record<Bits, Curve>>;
}

/** How many times fewer bytes than gradients at each step do rounds of training send, and what does that cost in loss? */
export const rounds: Bench = {
  name: 'rounds',
  msMax: 5_400_000,
  async run(context) {
    const steps = context.quick === true ? stepsQuick : stepsAll;
    const text = repositoryText(shape.members);
    const kept = keptParts(context.log);
    const measured = await measure(steps, text, kept, context);
    if (context.plot !== undefined) writeFileSync(context.plot, plotOf(linesOf(measured, steps)));
    kept.forget();
    return {
      results: bitsOf.flatMap((bits) => rowsOf(bits, steps, measured)),
      notes: notesOf(steps, text, context.quick === true),
    };
  },
};

const planOf = (steps: number, bits: Bits): Plan => ({
  ...shape,
  localSteps: stepsOf[bits],
  rounds: steps / stepsOf[bits],
});

async function measure(steps: number, text: Text, kept: Kept, context: BenchContext): Promise<Measured> {
  const digest = createHash('sha256');
  for (const part of [...text.parts, text.heldOut]) digest.update(part);
  const terms = { steps, shape, text: digest.digest('hex') };
  const place = { text, signal: context.signal, log: context.log };
  const together = (bits: Bits) =>
    kept.part(`${bits} bits`, { ...terms, local: stepsOf[bits] }, () =>
      trainTogether(planOf(steps, bits), bits, place),
    );
  // One trainer is judged as often as the members of four bits.
  const joined = await kept.part('one trainer', { ...terms, shape: { ...shape, outer: undefined } }, () =>
    trainAlone(planOf(steps, 4), place),
  );
  const four = await together(4);
  const single = await kept.part('one trainer, small batch', { ...terms, shape: { ...shape, outer: undefined } }, () =>
    trainAlone({ ...planOf(steps, 4), members: 1 }, place),
  );
  return { joined, single, together: { 4: four, 8: await together(8) } };
}

function rowsOf(bits: Bits, steps: number, { joined, single, together }: Measured): readonly Result[] {
  const { lastLoss, bytesSent } = together[bits];
  const [, ...members] = bytesSent;
  const float32 = 4 * modelSize * steps;
  const sentByMember = Math.max(...members);
  const sentByAll = bytesSent.reduce((sum, bytes) => sum + bytes, 0);
  const name = `${bits} bits${bits === 4 ? ' + error feedback' : ''}, ${steps / stepsOf[bits]} rounds of ${stepsOf[bits]} steps`;
  const gap = (other: Curve): number => (lastLoss / other.lastLoss - 1) * 100;
  const one = (what: string, unit: string, candidate: number, baseline?: number): Parameters<typeof resultOf>[0] => ({
    case: `${name}: ${what}`,
    unit,
    candidate: [candidate],
    ...(baseline === undefined ? {} : { baseline: [baseline] }),
  });
  return [
    resultOf({
      ...one('fewer bytes sent by a member', 'times', float32 / sentByMember),
      goal: goalTimes,
      rule: 'candidate-at-least',
    }),
    resultOf(one('bytes a member sent in a round', 'B', sentByMember / (steps / stepsOf[bits]))),
    resultOf(one('fewer bytes over all links, both ways', 'times', (2 * members.length * float32) / sentByAll)),
    resultOf({
      ...one('loss above one trainer’s with all rows', '%', gap(joined)),
      goal: goalGap,
      rule: 'candidate-at-most',
    }),
    resultOf(one('loss above one trainer’s with one member’s rows a step', '%', gap(single))),
    resultOf(one('held-out loss, against one trainer with all rows', 'nats/byte', lastLoss, joined.lastLoss)),
  ];
}

function linesOf({ joined, single, together }: Measured, steps: number): readonly Line[] {
  const line = (name: string, { losses }: Curve): Line => ({
    name,
    // Before the first round all guess; drawn, that would press the rest flat.
    points: losses.map((loss, index) => ({ x: (index * steps) / (losses.length - 1), y: loss })).slice(1),
  });
  return [
    line('one trainer, all rows each step', joined),
    line('one trainer, one member’s rows each step', single),
    line(`4 bits, every ${stepsOf[4]} steps`, together[4]),
    line(`8 bits, every ${stepsOf[8]} steps`, together[8]),
  ];
}

function notesOf(steps: number, text: Text, quick: boolean): readonly string[] {
  const kilobytes = text.parts.reduce((sum, part) => sum + part.length, 0) / 1000;
  return [
    ...(quick
      ? [
          `The quick form: ${steps} steps instead of ${stepsAll}. Its figures answer nothing but whether the bench runs.`,
        ]
      : []),
    `${shape.members} members, each with ${shape.rows} rows of ${rowLength} bytes a step, ${steps} steps each; a model of bytes with ${modelSize} weights; ${kilobytes.toFixed(0)} kB of this repository’s text dealt out to them, ${(text.heldOut.length / 1000).toFixed(0)} kB held out.`,
    `One trainer has all data and makes as many steps: with all rows each step, which is what exchanging float32 gradients each step computes, and with as many rows as one member.`,
    'Bytes are those the members’ links counted, receipts, questions and signs of life included; float32 gradients are 4 bytes a weight, a step and a way.',
  ];
}
