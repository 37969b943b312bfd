/** What liars cost, by rule and by how the data lies: `node packages/nn-engine/dist/rounds/testing/robustness.js`. Medians over five seeds. */
import { type Attack, type Experiment, type Learnt, trainedAmongLiars } from './liars.ts';
import { median } from './softmax.ts';

const seeds = [1, 2, 3, 4, 5];
const rules = ['mean', 'trimmed-mean', 'multi-krum'] as const;
const attacks: readonly Attack[] = [
  'none',
  'one NaN',
  'sign flipped',
  'sign flipped ten times',
  'noise',
  'a little less than they would notice',
];

function measured(experiment: Omit<Experiment, 'seed'>, of: keyof Learnt): string {
  const values = seeds.map((seed) => trainedAmongLiars({ ...experiment, seed })[of]);
  return Number.isNaN(values[0]) ? 'none' : `${(median(values) * 100).toFixed(1)} %`;
}

const say = (cells: readonly string[]): void => void process.stdout.write(`| ${cells.join(' | ')} |\n`);

for (const skew of [0, 0.5, 0.9, 1]) {
  say([`accuracy, ${skew * 100} % of a peer's data of one class`, ...rules]);
  for (const attack of attacks) say([attack, ...rules.map((rule) => measured({ attack, rule, skew }, 'accuracy'))]);
  process.stdout.write('\n');
}
for (const attack of ['backdoor', 'quiet backdoor'] as const)
  for (const [what, skew] of [
    ['fooled', 0],
    ['fooled', 0.9],
    ['accuracy', 0],
  ] as const) {
    say([`${attack}: ${what}, ${skew * 100} % of one class`, ...rules]);
    for (const liars of [0, 1, 2, 4, 6])
      say([`${liars} of 20`, ...rules.map((rule) => measured({ attack, rule, skew, liars }, what))]);
    process.stdout.write('\n');
  }
