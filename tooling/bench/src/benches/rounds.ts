import { writeFileSync } from 'node:fs';
import { localSgd, shortNesterov } from '@peerai/nn-engine/rounds';
import type { Bench } from '../harness.ts';
import { repositoryText, type Text } from '../rounds/corpus.ts';
import { keptParts } from '../rounds/kept.ts';
import { modelSize } from '../rounds/model.ts';
import { plotOf } from '../rounds/plot.ts';
import { noteOf, rowsOf } from '../rounds/results.ts';
import { linesOf, type Measured, measure, type Scenario } from '../rounds/scenario.ts';

const members = 2;
const judged = { each: 4, last: 64 };

/** As a group goes on from a base it shares. */
const trained: Scenario = {
  name: 'trained start',
  picture: '-trained',
  lessons: { steps: 3_000, rows: 8 },
  steps: 3_400,
  shape: { members, rows: 8, outer: shortNesterov, judged },
  rounds: [{ bits: 4, localSteps: 68 }],
};
/** Rounds as short as their bytes allow, against long ones of about as many bytes. */
const untrained: Scenario = {
  name: 'untrained start',
  steps: 6_400,
  shape: { members, rows: 2, outer: localSgd, judged: { ...judged, steps: 320 } },
  rounds: [
    { bits: 1, localSteps: 4 },
    { bits: 4, localSteps: 80 },
  ],
};
/** Two rounds after hardly any lessons, eighty and four. */
const short: readonly Scenario[] = [
  { ...trained, lessons: { steps: 100, rows: 8 }, steps: 136 },
  { ...untrained, steps: 320 },
];

/** How many times fewer bytes than gradients at each step do rounds of training send, and what does that cost in loss? */
export const rounds: Bench = {
  name: 'rounds',
  msMax: 5_400_000,
  async run({ signal, log, quick = false, plot }) {
    const text = repositoryText(members);
    const kept = keptParts(log);
    const scenarios = quick ? short : [trained, untrained];
    const measured: Measured[] = [];
    for (const scenario of scenarios) measured.push(await measure(scenario, { text, signal, log }, kept));
    if (plot !== undefined)
      for (const one of measured) writeFileSync(plotFile(plot, one.scenario), plotOf(linesOf(one)));
    kept.forget();
    return {
      results: measured.flatMap((one) => one.together.flatMap((together) => rowsOf(one, together))),
      notes: [
        ...(quick ? ['The quick form: few steps. Its figures answer nothing but whether the bench runs.'] : []),
        ...scenarios.map(noteOf),
        ...notesOf(text),
      ],
    };
  },
};

/** The pictures lie beside each other: curves.svg, curves-trained.svg. */
const plotFile = (plot: string, { picture = '' }: Scenario): string => plot.replace(/(\.\w+)?$/u, `${picture}$1`);

function notesOf(text: Text): readonly string[] {
  const kilobytes = text.parts.reduce((sum, part) => sum + part.length, 0) / 1000;
  return [
    `A model of bytes with ${modelSize} weights; ${kilobytes.toFixed(0)} kB of this repository’s text dealt out to the members, ${(text.heldOut.length / 1000).toFixed(0)} kB held out. One trainer has all data and makes as many steps, from the same weights, with the same rates and fresh moments of AdamW: with all rows each step, which is what exchanging float32 gradients each step computes, and with as many rows as one member.`,
    'Bytes are those the members’ links counted, receipts, questions and signs of life included; float32 gradients are 4 bytes a weight, a step and a way.',
  ];
}
