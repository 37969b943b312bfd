import type { LogsView } from '@peerai/peer/control';
import { fromBase64Url } from '@peerai/core-protocol';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { ago, count, plural } from '../shared/format.ts';
import { saveAs } from '../shared/save.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { others as words } from './strings.ts';

export const logsKey = [...keys.ledger, 'logs'];

/** Who signs for this log, whose logs are kept here, and who was proven to have two histories. */
export function Others(): ReactNode {
  const { client } = useApp();
  const logs = useQuery({
    queryKey: logsKey,
    queryFn: ({ signal }) => client.logs(signal),
    refetchInterval: limits.pollLiveMs,
  });
  return (
    <Region query={logs} what={words.what}>
      {(view) => (
        <>
          {view.forked.map((one) => (
            <Forked key={one.origin} one={one} />
          ))}
          <Signed view={view} />
          <Copies view={view} />
        </>
      )}
    </Region>
  );
}

function Signed({ view: { own } }: { readonly view: LogsView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const now = useNow(60_000);
  const ask = useMutation({
    mutationFn: () => client.witnessLogs(),
    onSuccess: (view) => cache.setQueryData<LogsView>(logsKey, view),
  });
  return (
    <Card title={words.signed}>
      <div className="pad stack">
        <p className="small muted">
          {own.cosigners.length === 0 ? words.unsigned : words.signedText(plural(own.cosignedSize, 'entry', 'entries'))}
        </p>
        {own.cosigners.length > 0 && (
          <ul className="plain small">
            {own.cosigners.map(({ peerId, name, timeS }) => (
              <li key={peerId}>
                {name} <span className="muted">{ago(timeS * 1_000, now)}</span>
              </li>
            ))}
          </ul>
        )}
        {own.trouble !== undefined && own.closed === undefined && <Note kind="bad" title={own.trouble} />}
        <Button disabled={ask.isPending} onClick={() => ask.mutate()}>
          {ask.isPending ? words.asking : words.ask}
        </Button>
        {ask.isError && <ErrorNote title={words.askFailed} error={ask.error} />}
      </div>
    </Card>
  );
}

function Copies({ view: { copies } }: { readonly view: LogsView }): ReactNode {
  return (
    <Card title={words.copies}>
      <div className="pad stack">
        {copies.length === 0 && <p className="small muted">{words.noCopies}</p>}
        {copies.map(({ origin, name, size, headSize, trouble }) => (
          <div key={origin}>
            <b>{name}</b>{' '}
            <span className="muted">
              {words.copy(plural(size, 'entry', 'entries'), size === headSize ? undefined : count(headSize))}
            </span>
            {trouble !== undefined && <p className="small">{trouble}</p>}
          </div>
        ))}
      </div>
    </Card>
  );
}

function Forked({ one }: { readonly one: LogsView['forked'][number] }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const now = useNow(60_000);
  const pardon = useMutation({
    mutationFn: () => client.pardon(one.origin, one.refused),
    onSuccess: (view) => cache.setQueryData<LogsView>(logsKey, view),
  });
  const save = useMutation({
    async mutationFn() {
      const bytes = fromBase64Url(await client.forkEvidence(one.origin));
      saveAs(new Blob([bytes.slice()]), `${one.name}.fork`);
    },
  });
  return (
    <Note kind="bad" title={words.forked(one.name)}>
      <p>
        {words.forkedText(ago(one.sinceMs, now))} {one.refused ? words.refused : words.pardoned}
      </p>
      <div className="row">
        <Button onClick={() => save.mutate()}>{words.evidence}</Button>
        <Button onClick={() => pardon.mutate()}>{one.refused ? words.pardon : words.refuse}</Button>
      </div>
    </Note>
  );
}
