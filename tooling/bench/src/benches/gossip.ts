import { bareCrowd, type Crowd, type Flood, ourCrowd } from '../gossip/crowd.ts';
import { type Bench, interleave, processorSeconds, type Result, resultOf } from '../harness.ts';

const [nodes, messages, spaceMs] = [12, 16, 5];
const rounds = 5;
/** The crowd of the goal: so many nodes, three of ten silent in its second half, every link so long. */
const large = { nodes: 50, silent: 15, messages: 1_000, spaceMs: 50, delayMs: 50 };

/** Topics over our nodes, against gossipsub of libp2p alone; and what comes through, and when, over long links and past silent nodes? */
export const gossip: Bench = {
  name: 'gossip',
  async run({ signal, log }) {
    const rate = await besideBare({ signal, log });
    const all = await flooded(0, { signal, log });
    const some = await flooded(large.silent, { signal, log });
    const name = `${large.nodes} nodes, ${large.delayMs} ms links, ${large.messages} messages`;
    const share = { unit: '%', rule: 'candidate-at-least' } as const;
    return {
      results: [
        ...rate,
        resultOf({ case: `${name}: delivered`, ...share, candidate: [shareOf(all)], goal: 100 }),
        resultOf({
          case: `${name}: p99`,
          unit: 'ms',
          candidate: [quantileOf(all.tookMs, 0.99)],
          goal: 400,
          rule: 'candidate-at-most',
        }),
        resultOf({
          case: `${large.silent} of them silent: delivered`,
          ...share,
          candidate: [shareOf(some)],
          goal: 99.9,
        }),
        resultOf({
          case: `${large.silent} of them silent: p99`,
          unit: 'ms',
          candidate: [quantileOf(some.tookMs, 0.99)],
        }),
      ],
      notes: [
        `Beside libp2p: ${nodes} nodes of each, ${messages} signed messages of 256 B a round, one each ${spaceMs} ms. A second is a second of processor time of all nodes together.`,
        `All nodes are real ones in one process, each connected to five earlier ones. A link of ${large.delayMs} ms is a TCP line that hands every byte on ${large.delayMs} ms later, each way; one message each ${large.spaceMs} ms.`,
        `The quickest copy took ${quantileOf(all.tookMs, 0).toFixed(0)} ms, half of them ${quantileOf(all.tookMs, 0.5).toFixed(0)} ms. Silent nodes listen and hand nothing on; copies at honest nodes are counted.`,
      ],
    };
  },
};

type Context = Parameters<Bench['run']>[0];

async function besideBare({ signal, log }: Context): Promise<readonly Result[]> {
  log(`${nodes} nodes of each kind in one process`);
  const crowds: Crowd[] = [];
  try {
    const ours = await ourCrowd(nodes);
    crowds.push(ours);
    const bare = await bareCrowd(nodes);
    crowds.push(bare);
    const late: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
    const rate = (name: keyof typeof late, crowd: Crowd) => async (round: number) => {
      let flood: Flood = { expected: 0, delivered: 0, tookMs: [] };
      const seconds = await processorSeconds(async () => (flood = await crowd.flood(messages, spaceMs)));
      if (round >= 0) late[name].push(quantileOf(flood.tookMs, 0.99));
      return flood.delivered / seconds;
    };
    const readings = await interleave({ ours: rate('ours', ours), bare: rate('bare', bare) }, { rounds, signal });
    return [
      resultOf({ case: 'deliveries', unit: '/s', candidate: readings.ours, baseline: readings.bare, goal: 0.9 }),
      resultOf({ case: 'p99 on loopback', unit: 'ms', candidate: late.ours, baseline: late.bare }),
    ];
  } finally {
    await Promise.all(crowds.map((crowd) => crowd.stop()));
  }
}

/** The large crowd, once. */
async function flooded(silent: number, { signal, log }: Context): Promise<Flood> {
  signal.throwIfAborted();
  log(`${large.nodes} nodes, ${silent} of them silent`);
  const crowd = await ourCrowd(large.nodes, { silent, delayMs: large.delayMs });
  try {
    signal.throwIfAborted();
    return await crowd.flood(large.messages, large.spaceMs);
  } finally {
    await crowd.stop();
  }
}

const shareOf = ({ delivered, expected }: Flood): number => (delivered / expected) * 100;

function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
