import type { GovernanceDetail } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { PaneHead } from '../ui/panes.tsx';
import { Region } from '../ui/region.tsx';
import { Sure } from '../ui/sure.tsx';
import { ChainCard } from './chain-card.tsx';
import { Decided, Holds } from './decided.tsx';
import { groupKey, useChange } from './group.ts';
import { Members } from './members.tsx';
import { Proposals } from './proposals.tsx';
import { governance, part as words } from './strings.ts';

/** One group: what is open, what was decided, who is in it, and the check of its chain. */
export function GroupPane({ id }: { readonly id: string }): ReactNode {
  const { client } = useApp();
  const group = useQuery({
    queryKey: groupKey(id),
    queryFn: ({ signal }) => client.governanceGroup(id, signal),
    refetchInterval: limits.pollLiveMs,
  });
  return (
    <Region query={group} what={governance.one}>
      {(view) => (
        <>
          <PaneHead to="/governance" back={governance.back} name={view.group.name}>
            <p className="push small muted">{governance.states[view.group.state]}</p>
          </PaneHead>
          <Standing view={view} />
          {view.group.state !== 'invited' && (
            <>
              <Proposals view={view} />
              <Decided view={view} />
              <Members view={view} />
              <Holds view={view} />
              <ChainCard view={view} />
              <Leave id={id} />
            </>
          )}
        </>
      )}
    </Region>
  );
}

/** What this device is in the group, where it is not simply a member. */
function Standing({ view: { group } }: { readonly view: GovernanceDetail }): ReactNode {
  const { client } = useApp();
  const join = useChange(() => client.joinGovernance(group.id));
  const forget = useLeave(group.id);
  if (group.state === 'waiting') return <Note title={words.waiting}>{<p>{words.waitingText}</p>}</Note>;
  if (group.state === 'left')
    return (
      <Note kind="warn" title={words.left}>
        {<p>{words.leftText}</p>}
      </Note>
    );
  if (group.state === 'member') return null;
  return (
    <Note title={group.invitedBy === null ? words.invited : words.invitedBy(group.invitedBy.name)}>
      <p>{group.members.map(({ name }) => name).join(', ')}</p>
      <p>{words.invitedText}</p>
      <div className="row">
        <Button look="primary" disabled={join.isPending} onClick={() => join.mutate(undefined)}>
          {words.join}
        </Button>
        <Button disabled={forget.isPending} onClick={() => forget.mutate()}>
          {words.forget}
        </Button>
      </div>
      {join.isError && <ErrorNote title={words.failed} error={join.error} />}
      {forget.isError && <ErrorNote title={words.failed} error={forget.error} />}
    </Note>
  );
}

function useLeave(id: string) {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () => client.leaveGovernance(id),
    async onSuccess() {
      void navigate({ to: '/governance', search: {} });
      await cache.invalidateQueries({ queryKey: keys.governance, exact: true });
      cache.removeQueries({ queryKey: groupKey(id) });
    },
  });
}

function Leave({ id }: { readonly id: string }): ReactNode {
  const [sure, setSure] = useState(false);
  const leave = useLeave(id);
  if (sure) {
    return (
      <Sure
        title={words.leaveSure}
        act={words.leaveAct}
        doing={leave}
        onAct={() => leave.mutate()}
        onKeep={() => setSure(false)}
      >
        <p>{words.leaveText}</p>
      </Sure>
    );
  }
  return (
    <div className="row">
      <Button look="bad" onClick={() => setSure(true)}>
        {words.leave}
      </Button>
    </div>
  );
}
