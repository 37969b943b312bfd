import type { MetricNumbers, StateMetricsView } from '@peerai/peer/control';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { plural } from '../shared/format.ts';
import { Note } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { sparkline } from './numbers.ts';
import { metrics as words } from './strings.ts';

const names = ['phi', 'coherence', 'entropy', 'valence', 'arousal', 'empathy', 'insight'] as const;
const box = { width: 96, height: 24 };

/** How clusters here and at devices are; asked for while this is open. */
export function StateMetrics(): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const views = useQuery({
    queryKey: keys.stateMetrics,
    queryFn: async ({ signal }): Promise<readonly StateMetricsView[]> => {
      const view = await client.watchMetrics({ forMs: limits.metricsWatchMs }, signal);
      const before = cache.getQueryData<readonly StateMetricsView[]>(keys.stateMetrics) ?? [];
      return [...before, view].slice(-limits.metricsPointsMax);
    },
    refetchInterval: limits.metricsWatchMs / 2,
  });
  return (
    <Card title={words.title}>
      <p className="pad small muted">{words.lead}</p>
      <Region query={views} what={words.what}>
        {(all) => <Metrics views={all} />}
      </Region>
    </Card>
  );
}

function Metrics({ views }: { readonly views: readonly StateMetricsView[] }): ReactNode {
  const now = views.at(-1);
  if (now === undefined || now.collective.peers === 0) return <p className="pad">{words.none}</p>;
  const raised = now.alerts.filter((alert) => alert.raised);
  const others = now.others.map(({ name }) => name);
  return (
    <>
      {raised.map(({ metric, when, threshold }) => (
        <Note key={`${metric} ${when} ${threshold}`} kind="warn" title={words.alert(metric, when, threshold)} live />
      ))}
      <table className="metrics">
        <thead>
          <tr>
            {words.head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <Line name={name} values={views.map(({ collective }) => collective.metrics[name])} />
              </td>
              <td>{shown(now.own?.metrics, name)}</td>
              <td>{shown(now.collective.metrics, name)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="pad small muted">
        <p>{words.weighed(plural(now.collective.peers, 'device'))}</p>
        {others.length > 0 && <p>{words.from(others.join(', '))}</p>}
      </div>
    </>
  );
}

function Line({
  name,
  values,
}: {
  readonly name: (typeof names)[number];
  readonly values: readonly (number | null)[];
}): ReactNode {
  const path = sparkline(values, { low: name === 'valence' ? -1 : 0, high: 1, ...box });
  const said = words.line(name, values.at(-1)?.toFixed(3) ?? words.missing);
  return (
    <svg className="chart spark" viewBox={`-2 -2 ${box.width + 4} ${box.height + 4}`} role="img" aria-label={said}>
      <path className="axis" d={`M0 ${box.height}H${box.width}`} />
      <path className="mean" d={path} />
    </svg>
  );
}

const shown = (numbers: MetricNumbers | undefined, name: (typeof names)[number]): string =>
  numbers?.[name]?.toFixed(3) ?? words.missing;
