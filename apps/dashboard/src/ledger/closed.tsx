import type { LogsView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { logsKey } from './others.tsx';
import { others as words } from './strings.ts';

/** Why nothing is added to this log, and what helps: stands above all else, as a damaged log shows no entries. */
export function Closed(): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [isSure, setSure] = useState(false);
  const logs = useQuery({
    queryKey: logsKey,
    queryFn: ({ signal }) => client.logs(signal),
    refetchInterval: limits.pollLiveMs,
  });
  const repair = useMutation({
    mutationFn: () => client.repairLedger(),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.ledger }),
  });
  const goOn = useMutation({
    mutationFn: () => client.ledgerGoOn(),
    onSuccess: (view) => cache.setQueryData<LogsView>(logsKey, view),
  });
  const { trouble, closed } = logs.data?.own ?? {};
  if (repair.isSuccess && closed === undefined)
    return (
      <Note
        kind="ok"
        title={words.repaired(
          plural(repair.data.restored, 'entry', 'entries'),
          plural(repair.data.size, 'entry', 'entries'),
        )}
        live
      />
    );
  if (closed === undefined) return undefined;
  return (
    <Note kind="bad" title={words.closed} live>
      <p>{trouble}.</p>
      {isSure && <p>{words.goOnSure}</p>}
      <div className="row">
        <Button look="primary" disabled={repair.isPending} onClick={() => repair.mutate()}>
          {repair.isPending ? words.repairing : words.repair}
        </Button>
        {closed === 'LEDGER_BEHIND' && (
          <Button disabled={goOn.isPending} onClick={() => (isSure ? goOn.mutate() : setSure(true))}>
            {words.goOn}
          </Button>
        )}
      </div>
      {repair.isError && <ErrorNote title={words.repairFailed} error={repair.error} />}
      {goOn.isError && <ErrorNote title={words.goOnFailed} error={goOn.error} />}
    </Note>
  );
}
