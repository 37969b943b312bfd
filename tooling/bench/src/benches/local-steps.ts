import { diLoCo, localSgd, shortNesterov } from '@peerai/nn-engine/rounds';
import { type Bench, resultOf } from '../harness.ts';
import { type Averaged, trainAveraged } from '../rounds/averaged.ts';
import { repositoryText } from '../rounds/corpus.ts';
import { heldOutJudge } from '../rounds/model.ts';
import { trainAlone } from '../rounds/together.ts';

const [members, rows, steps, judgedBatches] = [2, 2, 400, 64];
const lengths = [1, 10, 20, 40, 80];
/** Of the comparisons of packing and outer steps. */
const middleLength = 20;

/** Why do rounds of training learn less than one trainer: the length of a round, the packing, or the outer step? */
export const localSteps: Bench = {
  name: 'local-steps',
  // Quiet, five minutes; four times as long on full cores.
  msMax: 2_700_000,
  async run({ signal, log }) {
    const text = repositoryText(members);
    await using judge = await heldOutJudge(text.heldOut, signal);
    const shape = {
      members,
      rows,
      rounds: 1,
      localSteps: steps,
      outer: localSgd,
      judged: { each: 1, last: judgedBatches },
    };
    const { lastLoss: alone } = await trainAlone(shape, { text, signal, log });
    const plain = { steps, rows, outer: localSgd };
    const cases: readonly (readonly [string, Averaged])[] = [
      ...lengths.map((length) => [`rounds of ${length}`, { ...plain, localSteps: length }] as const),
      [
        `rounds of ${middleLength}, packed: 4 bits up, 8 down`,
        { ...plain, localSteps: middleLength, packed: { up: 4, down: 8 } },
      ],
      [`rounds of ${middleLength}, momentum 0.5`, { ...plain, localSteps: middleLength, outer: shortNesterov }],
      [`rounds of ${middleLength}, DiLoCo’s outer step`, { ...plain, localSteps: middleLength, outer: diLoCo }],
    ];
    const results = [];
    for (const [name, plan] of cases) {
      const loss = await judge.loss(await trainAveraged(plan, text, signal), judgedBatches);
      log(`${name}: ${loss.toFixed(4)} nats, one trainer ${alone.toFixed(4)}`);
      results.push(resultOf({ case: name, unit: 'nats/byte', candidate: [loss], baseline: [alone] }));
    }
    return {
      results,
      notes: [
        `${members} members, ${rows} rows of 32 bytes a step each, ${steps} steps; one trainer takes both members’ rows each step. One run each.`,
      ],
    };
  },
};
