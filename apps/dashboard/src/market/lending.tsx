import type { LendingView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useLending } from '../app/queries.ts';
import { count, plural, span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { CreditsField } from './credits-field.tsx';
import { credits } from './credits.ts';
import { Measured } from './measured.tsx';
import { nodes as words } from './node-words.ts';

const minuteMs = 60_000;
/** As `lendRequestSchema` says. */
const nodesMax = 65_536;

/** What this peer lends, or a form to. */
export function Lending(): ReactNode {
  const query = useLending();
  return (
    <Card title={words.lent}>
      <Region query={query} what={words.lentWhat}>
        {(view) => (view.lending ? <Lent view={view} /> : <LendForm />)}
      </Region>
    </Card>
  );
}

function Lent({ view }: { readonly view: LendingView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const stop = useMutation({
    mutationFn: () => client.stopLending(),
    onSuccess: (after) => cache.setQueryData(keys.lending, after),
  });
  const { nodes, free, each, nodeHourMicro, minutesMax } = view;
  return (
    <div className="pad stack">
      <div className="row">
        <div>
          <p>{words.lentFree(count(free), plural(nodes, 'node'), count(each))}</p>
          <p className="small">{words.price(credits(nodeHourMicro), span(minutesMax * minuteMs))}</p>
        </div>
        <Button push disabled={stop.isPending} onClick={() => stop.mutate()}>
          {words.stop}
        </Button>
      </div>
      <Measured of={view} />
      {stop.isError && <ErrorNote title={words.stopFailed} error={stop.error} />}
    </div>
  );
}

function LendForm(): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const lend = useMutation({
    mutationFn: (fields: FormData) =>
      client.lend({ nodes: Number(fields.get('nodes')), credits: fields.get('credits') as string }),
    onSuccess: (view) => cache.setQueryData(keys.lending, view),
  });
  return (
    <form
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        lend.mutate(new FormData(event.currentTarget));
      }}
    >
      <p className="muted">{words.lentNone}</p>
      <label className="field">
        {words.lendCount}
        <input name="nodes" type="number" required min={1} max={nodesMax} defaultValue="64" />
      </label>
      <CreditsField label={words.lendPrice} first="0.5" />
      <div className="row">
        <Button look="primary" type="submit" disabled={lend.isPending}>
          {words.lend}
        </Button>
      </div>
      {lend.isError && <ErrorNote title={words.lendFailed} error={lend.error} />}
    </form>
  );
}
