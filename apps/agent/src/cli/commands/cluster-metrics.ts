import type { MetricNumbers, StateMetricsView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { table } from '../plain.ts';
import { counted } from '../words.ts';

/** A device that is here has answered by then, milliseconds; and how long one watch lasts before it is asked for anew. */
const [answersMs, watchMs] = [2_500, 15_000];
const columns = ['phi', 'coherence', 'entropy', 'valence', 'arousal', 'empathy', 'insight'] as const;

export const metrics = command(
  'metrics',
  'State metrics of this peer and of devices that let it see theirs: heuristics, see docs/state-metrics.md',
  { follow: { type: 'boolean', alias: 'f', description: 'Show them each second' } } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    await client.watchMetrics({ forMs: watchMs }, signal);
    if (args.follow !== true) {
      await pause(answersMs, signal);
      const view = await client.stateMetrics(signal);
      output.data(view, () => textOf(view));
      return;
    }
    let askedMs = Date.now();
    for await (const event of client.events(signal)) {
      if (event.type !== 'metrics_update') continue;
      output.data(event.metrics, () => `${textOf(event.metrics)}\n`);
      if (Date.now() - askedMs < watchMs / 2) continue;
      askedMs = Date.now();
      await client.watchMetrics({ forMs: watchMs }, signal);
    }
  },
);

function textOf({ own, others, collective, alerts }: StateMetricsView): string {
  if (own === null && others.length === 0)
    return 'No state: no cluster here, and no device gave one. Make a cluster: peerai cluster create signs';
  const rows = [
    ...(own === null ? [] : [['this peer', ...numbersOf(own.metrics)]]),
    ...others.map(({ name, metrics: said }) => [name, ...numbersOf(said)]),
    [`mean of ${counted(collective.peers, 'peer', 'peers')}`, ...numbersOf(collective.metrics)],
  ];
  const raised = alerts.filter((alert) => alert.raised);
  const marks = raised.map(({ metric, when, threshold }) => `\nAlert: ${metric} is ${when} ${threshold}.`).join('');
  return `${table([['', ...columns], ...rows])}\nEach peer counts by its reputation, this one as 1.${marks}`;
}

const numbersOf = (numbers: MetricNumbers): string[] => columns.map((name) => numbers[name]?.toFixed(3) ?? '-');

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}
