import type { CrawlView, OlderPeerView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { shortId } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Verdict } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { ui } from '../ui/strings.ts';
import { network as words } from './strings.ts';

/** A walk from peer to peer, when somebody asks for one. */
export function CrawlCard(): ReactNode {
  const { client } = useApp();
  const crawl = useMutation({ mutationFn: () => client.crawl() });
  return (
    <Card title={words.crawl}>
      <div className="pad stack">
        <p className="small muted">{words.crawlText}</p>
        <Button disabled={crawl.isPending} onClick={() => crawl.mutate()}>
          {crawl.isPending ? words.walking : words.walk}
        </Button>
        <div role="status">{crawl.isSuccess && <Walked view={crawl.data} />}</div>
        {crawl.isError && <ErrorNote title={ui.failed} error={crawl.error} />}
      </div>
    </Card>
  );
}

function Walked({ view: { peers } }: { readonly view: CrawlView }): ReactNode {
  if (peers.length === 0) return <p className="small">{words.nobody}</p>;
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label={words.crawl}>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.peer}</th>
            <th scope="col">{words.state}</th>
            <th scope="col">{words.heard}</th>
            <th scope="col">{words.program}</th>
          </tr>
        </thead>
        <tbody>
          {peers.map(({ peerId, state, via, agent, paired }) => (
            <tr key={peerId}>
              <th scope="row">
                <code>{shortId(peerId.slice(-16))}</code> {paired && words.paired}
              </th>
              <td>
                <Verdict state={state === 'reachable' ? 'ok' : 'look'}>{words.states[state]}</Verdict>
              </td>
              <td className="muted">{words.via[via]}</td>
              <td className="muted">{agent === '' ? words.unsaid : agent}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Peers of older implementations, and what they may do; nothing where there are none. */
export function OlderPeersCard(): ReactNode {
  const { client } = useApp();
  const older = useQuery({ queryKey: keys.older, queryFn: ({ signal }) => client.olderPeers(signal) });
  const peers = older.data ?? [];
  if (peers.length === 0) return null;
  return (
    <Card title={words.older}>
      <div className="pad stack">
        <p className="small muted">{words.olderText}</p>
        <ul className="stack">
          {peers.map((peer) => (
            <OlderPeer key={peer.name} peer={peer} />
          ))}
        </ul>
      </div>
    </Card>
  );
}

function OlderPeer({ peer: { name, profile, url, allow, trouble } }: { readonly peer: OlderPeerView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const may = allow.includes('tasks');
  const change = useMutation({
    mutationFn: () => client.changeOlderPeer(name, { allow: may ? [] : ['tasks'] }),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.older }),
  });
  return (
    <li className="stack">
      <div className="row">
        <b className="anywhere">{name}</b> <span className="small muted">{profile}</span>
        {profile !== 'inbox' && (
          <Button disabled={change.isPending || url === null} onClick={() => change.mutate()}>
            {may ? words.takeTasks(name) : words.giveTasks(name)}
          </Button>
        )}
      </div>
      <p className="small muted anywhere" role="status">
        {url === null ? words.noAddress : may ? words.mayTasks : words.mayNot}
      </p>
      {trouble !== null && <p className="small">{words.trouble(trouble)}</p>}
      {change.isError && <ErrorNote title={ui.failed} error={change.error} />}
    </li>
  );
}
