import { writeFile } from 'node:fs/promises';
import { fromBase64Url, PeerAiError } from '@peerai/core-protocol';
import type { ClusterDetail, ClusterLesson, ClusterView } from '@peerai/peer/control';
import { parseDurationMs } from '@peerai/platform';
import { command, type Verb } from '../command.ts';
import { sizeText } from '../open-file.ts';
import { table } from '../plain.ts';
import { readFileText } from '../read-data.ts';
import { ago, counted } from '../words.ts';
import { metrics } from './cluster-metrics.ts';

const which = { name: { type: 'positional', required: true, description: 'Name of the cluster' } } as const;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const ls = command('ls', 'Clusters of this peer', {}, async ({ agent, output, signal }) => {
  const view = await (await agent()).client.clusters(signal);
  output.data(view, () => {
    if (view.clusters.length === 0) return 'None yet. Make one: peerai cluster create signs';
    const rows = view.clusters.map((one) => [one.name, ...rowOf(one)]);
    const company = view.peers.map(({ id, members }) => `${id}: ${members.map(({ name }) => name).join(', ')}`);
    const together = company.length === 0 ? '' : `\n\nTogether by measured load:\n${company.join('\n')}`;
    return `${table([['NAME', 'NODES', 'EDGES', 'IN', 'OUT', 'LEARNED', 'HEARD', 'RIGHT', 'SHARED'], ...rows])}${together}`;
  });
});

const create = command(
  'create',
  'Make a cluster of threshold-gating nodes',
  {
    ...which,
    nodes: { type: 'string', valueHint: 'N', description: 'Nodes at the start; 32 unless said' },
    max: { type: 'string', valueHint: 'N', description: 'Nodes it may grow to; 128 unless said' },
    inputs: { type: 'string', valueHint: 'N', description: 'Numbers it sees at once; 2 unless said' },
    outputs: { type: 'string', valueHint: 'N', description: 'Classes it votes for; 2 unless said' },
    seed: { type: 'string', valueHint: 'S', description: 'The same seed makes the same cluster; 1 unless said' },
    shared: {
      type: 'boolean',
      description: 'Teach clusters of this name at devices that may train with this peer, and be taught by them',
    },
  } as const,
  async ({ args, agent, output }) => {
    const cluster = await (
      await agent()
    ).client.createCluster({
      name: args.name,
      ...(args.nodes === undefined ? {} : { nodes: numberOf('nodes', args.nodes) }),
      ...(args.max === undefined ? {} : { nodesMax: numberOf('max', args.max) }),
      ...(args.inputs === undefined ? {} : { inputs: numberOf('inputs', args.inputs) }),
      ...(args.outputs === undefined ? {} : { outputs: numberOf('outputs', args.outputs) }),
      ...(args.seed === undefined ? {} : { seed: numberOf('seed', args.seed) }),
      ...(args.shared === true ? { shared: true } : {}),
    });
    output.data({ cluster }, () => `Made "${cluster.name}": ${shapeOf(cluster)}.`);
  },
);

const run = command(
  'run',
  'Let a stream of inputs go through, one a step; thresholds adapt',
  {
    ...which,
    numbers: {
      type: 'positional',
      required: false,
      description: 'With commas, such as 0.5,-0.2',
    },
    file: { type: 'string', valueHint: 'F', description: 'A CSV file of numbers, one step a line' },
    steps: { type: 'string', valueHint: 'N', description: 'How often the input comes; 20 unless said' },
    every: { type: 'string', valueHint: '200ms', description: 'Pause between two steps, to watch it' },
  } as const,
  async ({ args, agent, output, signal }) => {
    if ((args.numbers === undefined) === (args.file === undefined))
      throw new PeerAiError('USAGE', 'give an input such as 0.5,-0.2, or --file');
    const once = args.numbers === undefined ? rowsOf(args.file ?? '') : [numbersOf(args.numbers)];
    const times = args.steps === undefined ? (args.numbers === undefined ? 1 : 20) : numberOf('steps', args.steps);
    const inputs = Array.from({ length: times }, () => once).flat();
    const every = args.every === undefined ? {} : { everyMs: durationOf(args.every) };
    const { client } = await agent();
    const done = await client.processCluster(args.name, { inputs, ...every }, signal);
    output.data(done, () =>
      done.fired
        .map((nodes, step) => `${`${step + 1}`.padStart(4)}  ${firingLine(nodes, done.cluster.nodes)}`)
        .join('\n'),
    );
  },
);

const ask = command(
  'ask',
  'What it votes for',
  {
    ...which,
    numbers: { type: 'positional', required: true, description: 'With commas, such as 0.5,-0.2' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const answer = await (await agent()).client.askCluster(args.name, numbersOf(args.numbers), signal);
    output.data(answer, () => {
      const shares = answer.shares.map((share, label) => `${label}: ${percent(share)}`).join(', ');
      return `Class ${answer.label} (shares of the votes: ${shares})`;
    });
  },
);

const learn = command(
  'learn',
  'Learn from examples: numbers, and the class at the end of each line',
  {
    ...which,
    file: { type: 'positional', required: false, description: 'A CSV file; the last column is the class, from 0' },
    task: { type: 'string', valueHint: 'T', description: 'Drawn examples instead: same-sign or rings' },
    examples: { type: 'string', valueHint: 'N', description: 'How many are drawn; 500 unless said' },
    passes: { type: 'string', valueHint: 'N', description: 'How often all are gone through; 4 unless said' },
    rate: { type: 'string', valueHint: 'R', description: 'How far weights move; 0.05 unless said' },
  } as const,
  async ({ args, agent, output, signal }) => {
    if ((args.file === undefined) === (args.task === undefined))
      throw new PeerAiError('USAGE', 'give a file of examples, or --task');
    const examples =
      args.task === undefined
        ? labelled(rowsOf(args.file ?? ''))
        : await drawn(args.task, numberOf('examples', args.examples ?? '500'));
    const { client } = await agent();
    const lesson: ClusterLesson = {
      examples,
      passes: numberOf('passes', args.passes ?? '4'),
      ...(args.rate === undefined ? {} : { rate: numberOf('rate', args.rate) }),
    };
    const done = await client.teachCluster(args.name, lesson, signal);
    output.data(
      done,
      () =>
        `Learned from ${counted(done.presented, 'example', 'examples')}. ` +
        `Told rightly before learning: ${percent(done.rightFirst)} in the first pass, ${percent(done.rightLast)} in the last.`,
    );
  },
);

const grow = command('grow', 'Split busy nodes, strengthen used edges, drop weak ones', which, async (context) => {
  const { args, agent, output } = context;
  const done = await (await agent()).client.growCluster(args.name);
  output.data(
    done,
    () =>
      `${counted(done.split, 'node', 'nodes')} came, ${counted(done.strengthened, 'edge', 'edges')} became stronger, ` +
      `${done.pruned} went. Now ${shapeOf(done.cluster)}.`,
  );
});

const show = command('show', 'One cluster with its nodes', which, async ({ args, agent, output, signal }) => {
  const cluster = await (await agent()).client.cluster(args.name, signal);
  output.data({ cluster }, () => detailText(cluster));
});

const exported = command(
  'export',
  'Write a cluster with all it learned as an ONNX file, step and learning rule inside',
  {
    ...which,
    file: { type: 'positional', required: true, description: 'Where to write it, such as signs.onnx' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const { cluster: view, onnx } = await (await agent()).client.exportCluster(args.name, signal);
    const bytes = fromBase64Url(onnx);
    await writeFile(args.file, bytes);
    output.data(
      { cluster: view, file: args.file, bytes: bytes.length },
      () =>
        `Wrote ${args.file}: ${shapeOf(view)}, ${sizeText(bytes.length)}. Its inputs are told in docs/gating-clusters.md.`,
    );
  },
);

const rm = command('rm', 'Remove a cluster with all it learned', which, async ({ args, agent, output }) => {
  await (await agent()).client.removeCluster(args.name);
  output.data({ removed: args.name }, () => `Removed "${args.name}".`);
});

export const cluster: Verb = {
  run: ls,
  subs: { ls, create, run, ask, learn, grow, show, metrics, export: exported, rm },
};

const rowOf = (one: ClusterView): string[] => [
  `${one.nodes} of ${one.nodesMax}`,
  `${one.edges}`,
  `${one.inputs}`,
  `${one.outputs}`,
  `${one.learned}`,
  `${one.heard}`,
  one.right === null ? '-' : percent(one.right),
  one.shared ? 'yes' : 'no',
];

const shapeOf = ({ nodes, edges, inputs, outputs }: ClusterView): string =>
  `${counted(nodes, 'node', 'nodes')}, ${counted(edges, 'edge', 'edges')}, ${counted(inputs, 'input', 'inputs')}, ${counted(outputs, 'class', 'classes')}`;

/** A mark a node: it fired, or it did not. */
function firingLine(fired: readonly number[], nodes: number): string {
  const all = new Set(fired);
  const shown = Math.min(nodes, 64);
  const marks = Array.from({ length: shown }, (_, node) => (all.has(node) ? '#' : '.')).join('');
  return `${marks}${nodes > shown ? '…' : ''}  ${fired.length} fired`;
}

function detailText(cluster: ClusterDetail): string {
  const facts = [
    ['nodes', `${cluster.nodes} of ${cluster.nodesMax} at the most`],
    ['edges', `${cluster.edges}`],
    ['sees', counted(cluster.inputs, 'number', 'numbers')],
    ['votes for', counted(cluster.outputs, 'class', 'classes')],
    ['seed', `${cluster.seed}`],
    ['made', ago(cluster.createdMs)],
    ['steps', `${cluster.steps}`],
    ['learned', `${cluster.learned} here, ${cluster.heard} from other peers`],
    ['told rightly', cluster.right === null ? '-' : percent(cluster.right)],
    ['shared', cluster.shared ? 'yes' : 'no'],
  ];
  const nodes = cluster.state.map((node, index) => [
    `${index}`,
    node.fired ?? '-',
    node.value.toFixed(2),
    `${node.accumulator.toFixed(2)} of ${node.threshold.toFixed(2)}`,
    `${node.timer.toFixed(0)} of ${node.interval.toFixed(1)}`,
    node.edges.map(({ from, weight }) => `${from} (${weight.toFixed(2)})`).join(', ') || '-',
  ]);
  return `${table(facts)}\n\n${table([['NODE', 'FIRED BY', 'GAVE', 'HOLDS', 'WAITED', 'HEARS'], ...nodes])}`;
}

function numberOf(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new PeerAiError('USAGE', `--${flag} is a number, not "${text}"`);
}

function durationOf(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (cause) {
    throw new PeerAiError('USAGE', `--every: ${(cause as Error).message}`, {}, { cause });
  }
}

function numbersOf(text: string, place = 'the input'): number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (numbers.every((number) => Number.isFinite(number))) return numbers;
  throw new PeerAiError('USAGE', `${place} is numbers with commas between them, not "${text.slice(0, 80)}"`);
}

/** Lines of numbers; a first line of words is a heading. */
function rowsOf(file: string): number[][] {
  const lines = readFileText(file)
    .split(/\r?\n/u)
    .map((line, index) => [line, index + 1] as const)
    .filter(([line]) => line.trim() !== '');
  const [first] = lines;
  const isHeading = first !== undefined && first[0].split(',').some((part) => Number.isNaN(Number(part)));
  const rows = lines.slice(isHeading ? 1 : 0).map(([line, number]) => numbersOf(line, `line ${number} of ${file}`));
  if (rows.length > 0) return rows;
  throw new PeerAiError('USAGE', `there are no numbers in ${file}`);
}

function labelled(rows: readonly number[][]): ClusterLesson['examples'] {
  return rows.map((row) => ({ input: row.slice(0, -1), label: row.at(-1) ?? 0 }));
}

async function drawn(task: string, count: number): Promise<ClusterLesson['examples']> {
  const { toyTasks } = await import('@peerai/nn-engine/cluster');
  const { seededUnit } = await import('@peerai/nn-engine');
  const name = (Object.keys(toyTasks) as (keyof typeof toyTasks)[]).find((one) => one === task);
  if (name === undefined)
    throw new PeerAiError('USAGE', `--task is ${Object.keys(toyTasks).join(' or ')}, not "${task}"`);
  const random = seededUnit(1);
  return Array.from({ length: count }, () => {
    const { input, label } = toyTasks[name](random);
    return { input: [...input], label };
  });
}
