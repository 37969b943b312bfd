import { parseArgs } from 'node:util';
import { groupShapes, runSimulation, simulateAgreement } from './index.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    seeds: { type: 'string', default: '1' },
    peers: { type: 'string', default: '5' },
    steps: { type: 'string', default: '200' },
    trace: { type: 'boolean', default: false },
    agreement: { type: 'boolean', default: false },
    members: { type: 'string' },
    liars: { type: 'string' },
    shape: { type: 'string', default: 'full' },
    silent: { type: 'boolean', default: false },
  },
});
const [first, count, peers, steps] = [values.seed, values.seeds, values.peers, values.steps].map(Number) as [
  number,
  number,
  number,
  number,
];

/** One group of members that decide a chain; the failing ones are printed, and every hundredth seed, as there may be many. */
async function agree(seed: number): Promise<void> {
  const given = (text: string | undefined, name: 'members' | 'liars') =>
    text === undefined ? {} : { [name]: Number(text) };
  const shape = groupShapes.find((one) => one === values.shape);
  if (shape === undefined) throw new RangeError(`a shape is one of ${groupShapes.join(', ')}`);
  const who = { ...given(values.members, 'members'), ...given(values.liars, 'liars') };
  const options = { ...who, shape, areSilent: values.silent };
  const { ok, failure, traceHash, heights } = await simulateAgreement(seed, options);
  if (!ok) process.exitCode = 1;
  if (ok && (seed - first) % 100 !== 0) return;
  console.log(
    `seed ${seed}: ${ok ? 'all holds' : `WRONG: ${failure}`}; ${heights} blocks; trace ${traceHash.slice(0, 16)}`,
  );
}

async function run(seed: number): Promise<void> {
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

for (let seed = first; seed < first + count; seed += 1) await (values.agreement ? agree(seed) : run(seed));
