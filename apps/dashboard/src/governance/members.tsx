import type { GovernanceDetail } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { usePeers } from '../app/queries.ts';
import { Button } from '../ui/button.tsx';
import { DeviceField, usableDevices } from '../ui/devices.tsx';
import { State } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { useChange } from './group.ts';
import { people as words } from './strings.ts';

export function Members({ view: { group } }: { readonly view: GovernanceDetail }): ReactNode {
  return (
    <Card title={words.title}>
      <ul className="rows">
        {group.members.map(({ peerId, name, own, online, via, topic, liar, lies }) => (
          <li key={peerId} className="pad row">
            <b className="anywhere">{name}</b>
            <span className="small push">
              {liar ? (
                <State dot="blocked">{words.liar(lies.map((kind) => words.lies[kind]).join(', '))}</State>
              ) : (
                <State dot={via !== null || topic ? 'relayed' : online ? 'direct' : 'offline'}>
                  {own ? words.own : placeOf({ online, via, topic })}
                </State>
              )}
            </span>
          </li>
        ))}
      </ul>
      <div className="pad stack">
        {group.quorum > 0 && <p className="small muted">{words.quorum(group.quorum, group.members.length)}</p>}
        {group.state === 'member' && <Ask group={group} />}
      </div>
    </Card>
  );
}

const placeOf = ({ online, via, topic }: Pick<GovernanceDetail['group']['members'][0], 'online' | 'via' | 'topic'>) =>
  via !== null ? words.via(via.name) : topic ? words.topic : online ? words.here : words.away;

/** Somebody comes in by its own yes, on which the members vote then. */
function Ask({ group }: { readonly group: GovernanceDetail['group'] }): ReactNode {
  const { client } = useApp();
  const { data = [] } = usePeers();
  const ask = useChange((peerId: string) => client.inviteToGovernance(group.id, peerId));
  const others = usableDevices(data).filter(({ peerId }) => group.members.every((one) => one.peerId !== peerId));
  if (others.length === 0) return null;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate(new FormData(event.currentTarget).get('peer') as string);
      }}
    >
      <div className="join">
        <DeviceField name="peer" label={words.ask} devices={others} />
        <Button type="submit" disabled={ask.isPending}>
          {words.askAct}
        </Button>
      </div>
      {ask.isSuccess && (
        <p role="status" className="small muted">
          {words.asked(data.find(({ peerId }) => peerId === ask.variables)?.name ?? '')}
        </p>
      )}
      {ask.isError && <ErrorNote title={words.askFailed} error={ask.error} />}
    </form>
  );
}
