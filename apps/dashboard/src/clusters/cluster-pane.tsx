import type { ClusterDetail } from '@peerai/peer/control';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import type { Fired } from '../app/live.ts';
import { count, plural } from '../shared/format.ts';
import { Facts } from '../ui/facts.tsx';
import { Card } from '../ui/page.tsx';
import { PaneHead } from '../ui/panes.tsx';
import { Region } from '../ui/region.tsx';
import { ClusterActs } from './cluster-acts.tsx';
import { NodeDrawing } from './node-drawing.tsx';
import { clusters as words, facts } from './strings.ts';

/** One cluster, whose nodes light up when they fire. */
export function ClusterPane({ name }: { readonly name: string }): ReactNode {
  const { client } = useApp();
  const { data: fired } = useQuery<Fired | null>({
    queryKey: [...keys.clusterFired, name],
    queryFn: () => null,
    staleTime: Infinity,
  });
  const lit = useLit(fired ?? undefined);
  const detail = useQuery({
    queryKey: [...keys.clusters, name],
    queryFn: ({ signal }): Promise<ClusterDetail> => client.cluster(name, signal),
    // While it works its nodes are looked at again and again.
    refetchInterval: lit === undefined ? limits.pollLiveMs : limits.clusterLookMs,
  });
  return (
    <>
      <PaneHead to="/clusters" back={words.back} name={name} />
      <Region query={detail} what={words.one}>
        {(cluster) => (
          <>
            <NodeDrawing cluster={cluster} fired={lit ?? []} />
            <About cluster={cluster} />
            <ClusterActs cluster={cluster} />
          </>
        )}
      </Region>
    </>
  );
}

/** What fired, for a moment. */
function useLit(fired: Fired | undefined): readonly number[] | undefined {
  const [over, setOver] = useState<Fired>();
  useEffect(() => {
    if (fired === undefined) return undefined;
    const timer = setTimeout(() => setOver(fired), limits.firedShownMs);
    return () => clearTimeout(timer);
  }, [fired]);
  return fired === undefined || over === fired ? undefined : fired.nodes;
}

function About({ cluster }: { readonly cluster: ClusterDetail }): ReactNode {
  const { nodes, nodesMax, edges, inputs, outputs, seed, steps, learned, heard, right } = cluster;
  return (
    <Card title={words.one.charAt(0).toUpperCase() + words.one.slice(1)}>
      <div className="pad">
        <Facts
          facts={[
            [facts.nodes, facts.of(count(nodes), count(nodesMax))],
            [facts.edges, count(edges)],
            [facts.sees, plural(inputs, 'number')],
            [facts.votes, plural(outputs, 'class', 'classes')],
            [facts.seed, seed],
            [facts.steps, count(steps)],
            [facts.learned, facts.learnedText(plural(learned, 'example'), count(heard))],
            [facts.right, right === null ? null : `${(right * 100).toFixed(1)} %`],
          ]}
        />
      </div>
    </Card>
  );
}
