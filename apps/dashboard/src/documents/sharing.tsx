import type { DocumentView, PeerView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useGroups, useNode, usePeers } from '../app/queries.ts';
import { bytes } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { DeviceField, MemberState, usableDevices } from '../ui/devices.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Sure } from '../ui/sure.tsx';
import { sharing as words } from './strings.ts';
import { forgetKey, useSharing } from './use-document.ts';

export function SharingCard({ document }: { readonly document: DocumentView }): ReactNode {
  const peers = usePeers().data ?? [];
  return (
    <Card title={words.title}>
      <ul className="rows">
        {document.members.map((member) => (
          <Member key={member.peerId} document={document} member={member} peers={peers} />
        ))}
      </ul>
      <div className="pad stack over">
        {document.group !== null ? (
          <ByGroup group={document.group} />
        ) : document.mine ? (
          <Share document={document} peers={peers} />
        ) : (
          <p className="muted">{words.notMine(document.founderName)}</p>
        )}
        <details>
          <summary>{words.details}</summary>
          <dl className="facts">
            <dt>{words.size}</dt>
            <dd>{bytes(document.bytes)}</dd>
            <dt>{words.id}</dt>
            <dd>
              <code>{document.id}</code>
            </dd>
          </dl>
        </details>
        <Forget id={document.id} />
      </div>
    </Card>
  );
}

function ByGroup({ group }: { readonly group: string }): ReactNode {
  const name = useGroups().data?.find(({ id }) => id === group)?.name;
  return <p className="muted">{words.byGroup(name ?? words.unknownGroup)}</p>;
}

function Member({
  document: { id, founder, mine, group },
  member: { peerId, name },
  peers,
}: {
  readonly document: DocumentView;
  readonly member: DocumentView['members'][number];
  readonly peers: readonly PeerView[];
}): ReactNode {
  const { client } = useApp();
  const self = useNode().data?.peerId === peerId;
  const peer = peers.find((one) => one.peerId === peerId);
  const [sure, setSure] = useState(false);
  const stop = useSharing(() => client.unshareDocument(id, peerId));
  return (
    <li className="member stack">
      <div className="row">
        <b className="anywhere">{name}</b>
        <MemberState peer={peer} self={self} />
        {peerId === founder && <span className="small quiet">{words.founder}</span>}
        {peer?.state === 'offline' && <span className="small quiet">{words.away}</span>}
        {mine && group === null && !self && !sure && (
          <Button look="quiet" push aria-label={words.stopOf(name)} onClick={() => setSure(true)}>
            {words.stop}
          </Button>
        )}
      </div>
      {sure && (
        <Sure
          title={words.stopSure(name)}
          act={words.stopNow(name)}
          doing={stop}
          onAct={() => stop.mutate(undefined)}
          onKeep={() => setSure(false)}
        />
      )}
    </li>
  );
}

function Share({
  document,
  peers,
}: {
  readonly document: DocumentView;
  readonly peers: readonly PeerView[];
}): ReactNode {
  const { client } = useApp();
  const share = useSharing((peerId: string) => client.shareDocument(document.id, [peerId]));
  const others = usableDevices(peers).filter(({ peerId }) => document.members.every((one) => one.peerId !== peerId));
  if (others.length === 0) return <p className="muted">{words.everybody}</p>;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        share.mutate(new FormData(event.currentTarget).get('peer') as string);
      }}
    >
      <div className="join">
        <DeviceField name="peer" label={words.add} devices={others} />
        <Button type="submit" disabled={share.isPending}>
          {share.isPending ? words.sharing : words.addNow}
        </Button>
      </div>
      {share.isError && <ErrorNote title={words.failed} error={share.error} />}
    </form>
  );
}

function Forget({ id }: { readonly id: string }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [sure, setSure] = useState(false);
  const forget = useMutation({
    mutationKey: forgetKey(id),
    // What is asked already may be answered after it is gone.
    onMutate: () => cache.cancelQueries({ queryKey: [...keys.documents, id] }),
    mutationFn: () => client.forgetDocument(id),
    onSuccess: async () => {
      await navigate({ to: '/documents', search: {} });
      // With the new list its pane is gone, and nobody asks for it any more.
      await cache.invalidateQueries({ queryKey: keys.documents, exact: true });
      cache.removeQueries({ queryKey: [...keys.documents, id] });
    },
  });
  if (!sure) {
    return (
      <div className="row">
        <Button look="bad" onClick={() => setSure(true)}>
          {words.forget}
        </Button>
      </div>
    );
  }
  return (
    <Sure
      title={words.forgetSure}
      act={words.forgetNow}
      doing={forget}
      onAct={() => forget.mutate()}
      onKeep={() => setSure(false)}
    />
  );
}
