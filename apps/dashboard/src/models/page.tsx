import type { ModelsView } from '@peerai/peer/control';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useModels, useNode } from '../app/queries.ts';
import { dotOf } from '../shared/dot-of.ts';
import { State } from '../ui/icon.tsx';
import { Card, PageHead } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { Engines, GetModel } from './engines.tsx';
import { FetchedFiles } from './fetched-files.tsx';
import { FindModel } from './find-model.tsx';
import { groupModels } from './group.ts';
import { ImportedModels } from './imported-models.tsx';
import { ModelRow } from './model-row.tsx';
import { OfferedRun } from './offered-run.tsx';
import { SplitModels } from './split-models.tsx';
import { models as words } from './strings.ts';

export function ModelsPage(): ReactNode {
  const models = useModels();
  const node = useNode();
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        <Link className="b" to="/chat">
          {words.chat}
        </Link>
      </PageHead>
      <div className="cols">
        <div className="stack">
          <Region query={models} what={words.what}>
            {(view) => <Groups view={view} />}
          </Region>
          <ImportedModels />
          <SplitModels />
          <FetchedFiles />
        </div>
        <Card title={words.engines} aside={words.enginesLead}>
          <Region query={node} what="engines">
            {(view) => <Engines findings={view.engines} />}
          </Region>
          <GetModel />
          <FindModel />
        </Card>
      </div>
    </>
  );
}

function Groups({ view }: { readonly view: ModelsView }): ReactNode {
  const { client } = useApp();
  const runs = useQuery({ queryKey: keys.offeredRuns, queryFn: ({ signal }) => client.offeredRuns(undefined, signal) });
  const groups = groupModels(view.models, runs.data);
  if (groups.length === 0) {
    return (
      <div className="card pad stack">
        <h2>{words.none}</h2>
        <p className="muted">{words.noneText}</p>
      </div>
    );
  }
  return groups.map((group) => (
    <section key={group.peerId} className="card" aria-label={group.peerName}>
      <header>
        <h2>{group.peerName}</h2>
        <span className="push small">
          {group.path !== undefined && <State dot={dotOf(group.path)}>{words.paths[group.path]}</State>}
        </span>
      </header>
      <ul className="rows">
        {group.models.map((model) => (
          <ModelRow key={model.name} model={model} standard={model.name === view.defaultModel} />
        ))}
        {group.runs.map((run) => (
          <OfferedRun key={run.name} run={run} />
        ))}
      </ul>
    </section>
  ));
}
