import type { MemoryListView } from '@peerai/peer/control';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { clockTime, count, sentence } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { useNow } from '../ui/region.tsx';
import { waiting as words } from './strings.ts';

type Share = MemoryListView['waiting'][number];

/** What goes to devices when they are back; each can be called back until then. */
export function Waiting({ shares }: { readonly shares: readonly Share[] }): ReactNode {
  if (shares.length === 0) return null;
  return (
    <Card title={words.title} aside={count(shares.length)}>
      <ul className="rows">
        {shares.map((share) => (
          <One key={`${share.peerId} ${share.capsuleId}`} share={share} />
        ))}
      </ul>
    </Card>
  );
}

function One({ share }: { readonly share: Share }): ReactNode {
  const { client } = useApp();
  const now = useNow(60_000);
  const { capsuleId, peerId, peerName, summary, sinceMs, problem } = share;
  const cancel = useMutation({ mutationFn: () => client.cancelMemoryShare(capsuleId, peerId) });
  return (
    <li className="pad stack">
      <div className="row">
        <b className="anywhere">{words.to(peerName)}</b>
        <span className="push small muted">{clockTime(sinceMs, now)}</span>
      </div>
      <p className="written">{summary}</p>
      <p className="small muted anywhere">{problem === undefined ? words.away : words.refused(sentence(problem))}</p>
      <div className="row">
        <Button
          aria-label={words.cancelOne(peerName)}
          disabled={cancel.isPending || cancel.isSuccess}
          onClick={() => cancel.mutate()}
        >
          {words.cancel}
        </Button>
      </div>
      {cancel.isError && <ErrorNote title={words.failed} error={cancel.error} />}
    </li>
  );
}
