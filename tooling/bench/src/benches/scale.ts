import { limits } from '@peerai/transport';
import { forkProgram } from '../fork.ts';
import { type Bench, resultOf, type Result } from '../harness.ts';
import { calibrate, type Model, type ModelBounds, offBy, type Predicted } from '../scale/model.ts';
import type { Measured } from '../scale/point.ts';

/** Nodes of the networks that are run, each network a process, all at the same time: they are watched at rest. */
const sizes = [5, 10, 20, 35, 50];
/** A whole network, from its start to what it measured, milliseconds. */
const networkMsMax = 420_000;
/** Networks that are only computed. */
const beyond = [100, 1_000, 10_000];
/** A record lives two hours and is signed anew at half of that. */
const announceEverySeconds = 3_600;

/** What does a node of a network of 5 to 50 take, and what would one of 10,000 by a model calibrated with these? */
export const scale: Bench = {
  name: 'scale',
  async run({ signal, log }) {
    log(`${sizes.join(', ')} nodes`);
    const points = await Promise.all(sizes.map((nodes) => measured(nodes, signal)));
    const bounds: ModelBounds = {
      recordsMax: limits.recordsMax,
      recordBytes: points.reduce((sum, { recordBytes }) => sum + recordBytes, 0) / points.length,
      linksWanted: limits.exchangeLinksWanted,
      announceEverySeconds,
    };
    const model = calibrate(points, bounds);
    return {
      results: [...points.flatMap(measuredRows), ...beyond.flatMap((nodes) => modelRows(model.at(nodes)))],
      notes: notes(points, model, bounds),
    };
  },
};

async function measured(nodes: number, signal: AbortSignal): Promise<Measured> {
  await using network = await forkProgram<Measured>(new URL('../scale/nodes.js', import.meta.url), signal, {
    args: [String(nodes)],
    execArgv: ['--expose-gc'],
    readyMs: networkMsMax,
  });
  return network.ready;
}

const row = (name: string, unit: string, value: number): Result => resultOf({ case: name, unit, candidate: [value] });

function measuredRows(point: Measured): readonly Result[] {
  const name = `${point.nodes} nodes, measured`;
  return [
    row(`${name}: links of a node`, '', point.links),
    row(`${name}: memory in use`, 'MB a node', point.liveBytes / 1_000_000),
    row(`${name}: sent while quiet`, 'B/s a node', point.quietBytes),
    row(`${name}: processor while quiet`, '% of one, a node', point.quietProcessor * 100),
    row(`${name}: sent for a round of announcements`, 'kB a node', point.announceBytes / 1_000),
  ];
}

function modelRows(predicted: Predicted): readonly Result[] {
  const name = `${predicted.nodes} nodes, by the model`;
  return [
    row(`${name}: links of a node`, '', predicted.links),
    row(`${name}: memory in use`, 'MB a node', predicted.liveBytes / 1_000_000),
    row(`${name}: sent while quiet`, 'B/s a node', predicted.quietBytes),
    row(`${name}: sent for announcements`, 'B/s a node', predicted.announceBytes),
  ];
}

function notes(points: readonly Measured[], model: Model, bounds: ModelBounds): readonly string[] {
  const errors = points.map((point) => `${point.nodes}: ${errorsOf(model, point)}`);
  const last = points.at(-1);
  const held = last === undefined ? '' : errorsOf(calibrate(points.slice(0, -1), bounds), last);
  return [
    'Real nodes with the discovery of an agent (gossip, DHT, peer exchange), each told of the first one alone, all of one network in one process, over TCP on loopback. Not the whole agent.',
    `The model is arithmetic; nothing above ${last?.nodes} nodes was run. Its error at each measured network (links, memory, quiet, announcements): ${errors.join('; ')}.`,
    `Calibrated without the largest network, it is off there by ${held}.`,
    `Fitted: ${Object.entries(model.lines)
      .map(([name, { base, slope }]) => `${name} ${base.toPrecision(4)} + ${slope.toPrecision(4)} x`)
      .join('; ')}; x is the links, the links, the nodes. Links in a large network: ${model.links.toFixed(1)}.`,
    `A kept record takes ${bounds.recordBytes.toFixed(0)} B; at most ${bounds.recordsMax} are kept.`,
  ];
}

function errorsOf(model: Model, point: Measured): string {
  const { links, liveBytes, quietBytes, announceBytes } = model.at(point.nodes);
  return [
    offBy(links, point.links),
    offBy(liveBytes, point.liveBytes),
    offBy(quietBytes, point.quietBytes),
    offBy(announceBytes * announceEverySeconds, point.announceBytes),
  ]
    .map((error) => `${(error * 100).toFixed(0)} %`)
    .join(', ');
}
