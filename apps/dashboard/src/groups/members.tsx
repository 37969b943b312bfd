import type { GroupView, PeerView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { limits } from '../app/limits.ts';
import { applyEvent } from '../app/live.ts';
import { useNode, usePeers } from '../app/queries.ts';
import { Button } from '../ui/button.tsx';
import { DeviceField, MemberState, usableDevices } from '../ui/devices.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Sure } from '../ui/sure.tsx';
import { ui } from '../ui/strings.ts';
import { members as text } from './strings.ts';

export function MembersCard({ group }: { readonly group: GroupView }): ReactNode {
  const peers = usePeers().data ?? [];
  return (
    <Card title={text.title}>
      <ul className="rows">
        {group.members.map((member) => (
          <Member key={member.peerId} group={group} member={member} peers={peers} />
        ))}
      </ul>
      <div className="pad stack over">
        {group.mine ? <Add group={group} peers={peers} /> : <p className="muted">{text.notMine(committerOf(group))}</p>}
        <Keys group={group} />
        <Leave group={group} />
      </div>
    </Card>
  );
}

const committerOf = ({ members, committer }: GroupView): string =>
  members.find(({ peerId }) => peerId === committer)?.name ?? '';

/** A change of the group, shown at once. */
function useChange<T>(change: (input: T) => Promise<GroupView>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (group) => applyEvent(cache, { type: 'group-changed', groupId: group.id, group }),
  });
}

function Member({
  group,
  member: { peerId, name },
  peers,
}: {
  readonly group: GroupView;
  readonly member: GroupView['members'][number];
  readonly peers: readonly PeerView[];
}): ReactNode {
  const { client } = useApp();
  const self = useNode().data?.peerId === peerId;
  const [sure, setSure] = useState(false);
  const remove = useChange(() => client.removeFromGroup(group.id, peerId));
  return (
    <li className="member stack">
      <div className="row">
        <b className="anywhere">{name}</b>
        <MemberState peer={peers.find((peer) => peer.peerId === peerId)} self={self} />
        {peerId === group.committer && <span className="small quiet">{text.committer}</span>}
        {group.mine && !self && !sure && (
          <Button look="quiet" push aria-label={text.removeOf(name)} onClick={() => setSure(true)}>
            {text.remove}
          </Button>
        )}
      </div>
      {sure && (
        <Sure
          title={text.removeSure(name)}
          act={text.removeNow(name)}
          doing={remove}
          onAct={() => remove.mutate(undefined)}
          onKeep={() => setSure(false)}
        />
      )}
    </li>
  );
}

function Add({ group, peers }: { readonly group: GroupView; readonly peers: readonly PeerView[] }): ReactNode {
  const { client } = useApp();
  const add = useChange((peerId: string) => client.addToGroup(group.id, [peerId]));
  const others = usableDevices(peers).filter(({ peerId }) => group.members.every((one) => one.peerId !== peerId));
  if (group.members.length >= limits.groupMembersMax)
    return <p className="muted">{text.full(limits.groupMembersMax)}</p>;
  if (others.length === 0) return <p className="muted">{text.everybody}</p>;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate(new FormData(event.currentTarget).get('peer') as string);
      }}
    >
      <div className="join">
        <DeviceField name="peer" label={text.add} devices={others} />
        <Button type="submit" disabled={add.isPending}>
          {add.isPending ? text.adding : text.addNow}
        </Button>
      </div>
      {add.isError && <ErrorNote title={text.addFailed} error={add.error} />}
    </form>
  );
}

function Keys({ group }: { readonly group: GroupView }): ReactNode {
  const { client } = useApp();
  const renew = useChange(() => client.renewGroup(group.id));
  return (
    <details>
      <summary>{text.details}</summary>
      <div className="stack">
        <dl className="facts">
          <dt>{text.epoch}</dt>
          <dd>{text.epochs(group.epoch)}</dd>
          <dt>{text.id}</dt>
          <dd>
            <code>{group.id}</code>
          </dd>
        </dl>
        {group.mine && (
          <>
            <p className="small muted">{text.renewText}</p>
            <Button disabled={renew.isPending} onClick={() => renew.mutate(undefined)}>
              {renew.isPending ? text.renewing : text.renew}
            </Button>
          </>
        )}
        {renew.isError && <ErrorNote title={ui.failed} error={renew.error} />}
      </div>
    </details>
  );
}

function Leave({ group }: { readonly group: GroupView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [sure, setSure] = useState(false);
  const leave = useMutation({
    mutationFn: () => client.leaveGroup(group.id),
    onSuccess: () => {
      applyEvent(cache, { type: 'group-changed', groupId: group.id, group: null });
      void navigate({ to: '/groups', search: {} });
    },
  });
  if (!sure) {
    return (
      <div className="row">
        <Button look="bad" onClick={() => setSure(true)}>
          {text.leave}
        </Button>
      </div>
    );
  }
  const hands = group.mine && group.members.length > 1;
  return (
    <Sure
      title={hands ? `${text.leaveSure} ${text.leaveHands}` : text.leaveSure}
      act={text.leaveNow}
      doing={leave}
      onAct={() => leave.mutate()}
      onKeep={() => setSure(false)}
    />
  );
}
