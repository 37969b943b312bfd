import { type LoudFigures, loudNeighbour, measureLoudNeighbour, startTestnet } from '@peerai/testnet';
import { type Bench, resultOf } from '../harness.ts';

const rounds = 5;
/** Quiet and loud windows of a round, by turns, and messages of the honest device in each. */
const [windows, messagesPerWindow] = [2, 50];

/** How much later do an honest device’s messages arrive while a neighbour sends ten times what it may? */
export const neighbour: Bench = {
  name: 'neighbour',
  async run({ signal, log }) {
    const { identity, env } = loudNeighbour();
    log('starting a relay and two agents');
    const testnet = await startTestnet({
      agents: 2,
      relays: 1,
      engine: 'scripted',
      env: { ...env, PEERAI_LOGGING__LEVEL: 'warn' },
      signal,
    });
    try {
      const [target, honest] = testnet.agents;
      if (target === undefined || honest === undefined) throw new Error('two agents were asked for');
      const all: LoudFigures[] = [];
      for (let round = -1; round < rounds; round += 1) {
        signal.throwIfAborted();
        log(`round ${round + 1}`);
        const figures = await measureLoudNeighbour({ identity, target, honest, windows, messagesPerWindow });
        if (round >= 0) all.push(figures);
      }
      return { results: rows(all), notes: notes(all) };
    } finally {
      await testnet.stop();
    }
  },
};

function rows(all: readonly LoudFigures[]) {
  const of = (figure: 'quietP50Ms' | 'loudP50Ms' | 'quietP99Ms' | 'loudP99Ms') => all.map((one) => one[figure]);
  return [
    resultOf({
      case: 'honest message, p99, beside the loud one',
      unit: 'ms',
      candidate: of('loudP99Ms'),
      baseline: of('quietP99Ms'),
      goal: 2,
      rule: 'ratio-at-most',
    }),
    resultOf({ case: 'honest message, median', unit: 'ms', candidate: of('loudP50Ms'), baseline: of('quietP50Ms') }),
    resultOf({
      case: 'honest messages that arrived',
      unit: '%',
      candidate: all.map(({ honestArrived, honestSent }) => (honestArrived / honestSent) * 100),
      goal: 100,
      rule: 'candidate-at-least',
    }),
  ];
}

function notes(all: readonly LoudFigures[]): readonly string[] {
  const sum = (pick: (one: LoudFigures) => number): number => all.reduce((total, one) => total + pick(one), 0);
  const perSecond = sum(({ loudPerSecond }) => loudPerSecond) / all.length;
  return [
    `A round is ${windows} quiet windows and ${windows} loud ones, by turns, ${messagesPerWindow} messages each, from the local API until the other device has it.`,
    `The loud one sent ${perSecond.toFixed(0)} a second over the peer protocol’s HTTP, where ten are let in: ${sum(({ taken }) => taken)} were taken, ${sum(({ refused }) => refused)} told to wait, ${sum(({ other }) => other)} ended otherwise.`,
  ];
}
