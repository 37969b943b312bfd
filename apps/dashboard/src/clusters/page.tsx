import type { ClustersView } from '@peerai/peer/control';
import { useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useClusters } from '../app/queries.ts';
import { plural } from '../shared/format.ts';
import { ListPage } from '../ui/list-page.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { PaneHint, PaneLink, Panes } from '../ui/panes.tsx';
import { ClusterPane } from './cluster-pane.tsx';
import { MakeCluster } from './make-cluster.tsx';
import { StateMetrics } from './state-metrics.tsx';
import { clusters as words } from './strings.ts';

export function ClustersPage(): ReactNode {
  const clusters = useClusters();
  const { id } = useSearch({ from: '/clusters' });
  return (
    <ListPage words={words} query={clusters} form={(onClose) => <MakeCluster onClose={onClose} />}>
      {(view) => (
        <Panes
          chosen={id !== undefined}
          list={
            <div className="stack panes-list">
              <ClusterList view={view} />
              <StateMetrics />
            </div>
          }
        >
          {id !== undefined && view.clusters.some(({ name }) => name === id) ? (
            <ClusterPane key={id} name={id} />
          ) : (
            <PaneHint to="/clusters" back={words.back} text={id === undefined ? words.choose : words.gone} />
          )}
        </Panes>
      )}
    </ListPage>
  );
}

function ClusterList({ view: { clusters, peers } }: { readonly view: ClustersView }): ReactNode {
  return (
    <Card title={words.list}>
      {clusters.length === 0 && <Empty title={words.none} text={words.noneText} />}
      <ul className="rows">
        {clusters.map(({ name, nodes, edges, shared }) => (
          <PaneLink
            key={name}
            to="/clusters"
            id={name}
            icon="cluster"
            name={name}
            sub={words.sub(plural(nodes, 'node'), plural(edges, 'edge'))}
            side={shared ? words.shared : words.own}
          />
        ))}
      </ul>
      {peers.length > 0 && (
        <footer className="pad stack small">
          <h3>{words.together}</h3>
          <p className="muted">{words.togetherText}</p>
          {peers.map(({ id, members }) => (
            <p key={id}>{members.map(({ name }) => name).join(', ')}</p>
          ))}
        </footer>
      )}
    </Card>
  );
}
