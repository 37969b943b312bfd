import { parseArgs } from 'node:util';
import { runSimulation } from './index.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    seeds: { type: 'string', default: '1' },
    peers: { type: 'string', default: '5' },
    steps: { type: 'string', default: '200' },
    trace: { type: 'boolean', default: false },
  },
});
const [first, count, peers, steps] = [values.seed, values.seeds, values.peers, values.steps].map(Number) as [
  number,
  number,
  number,
  number,
];

for (let seed = first; seed < first + count; seed += 1) {
  const { ok, failure, traceHash, trace, counts } = await runSimulation(seed, { peers, steps });
  if (values.trace) console.log(trace.join('\n'));
  const done = [...counts].map(([what, times]) => `${what} ${times}`).toSorted();
  console.log(
    `seed ${seed}: ${ok ? 'all holds' : `WRONG after step ${failure?.step}: ${failure?.what}`}; trace ${traceHash.slice(0, 16)}; ${done.join(', ')}`,
  );
  if (!ok) {
    console.log(`again: node dist/main.js --seed ${seed} --peers ${peers} --steps ${steps} --trace`);
    process.exitCode = 1;
  }
}
