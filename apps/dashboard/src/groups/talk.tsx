import type { GroupView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useLayoutEffect, useRef, type ReactNode } from 'react';
import { useApp, useLive } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { clockTime } from '../shared/format.ts';
import { Composer } from '../ui/composer.tsx';
import { dotOf } from '../ui/delivery.ts';
import { State } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { inOrder, type Said, stateText, summaryOf } from './delivery.ts';
import { talk } from './strings.ts';

/** What is said in a group, and the line to say something. */
export function TalkCard({ group }: { readonly group: GroupView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const { received, sent } = useSaid(group.id);
  const send = useMutation({
    mutationFn: (text: string) => client.sendToGroup(group.id, 'text', text),
    onSettled: () => cache.invalidateQueries({ queryKey: [...keys.groups, group.id, 'sent'] }),
  });
  const alone = group.members.length < 2;
  return (
    <Card title={talk.title}>
      <Region query={received} what={talk.what}>
        {(theirs) => (
          <Region query={sent} what={talk.what}>
            {(ours) => <Thread said={inOrder(theirs, ours)} />}
          </Region>
        )}
      </Region>
      {alone ? (
        <p className="pad muted over">{talk.alone}</p>
      ) : (
        <Composer
          label={talk.write(group.name)}
          note={talk.note}
          busy={send.isPending}
          onSend={(text) => send.mutateAsync(text)}
        />
      )}
      {send.isError && (
        <div className="pad">
          <ErrorNote title={talk.failed} error={send.error} />
        </div>
      )}
    </Card>
  );
}

/** Received by events; what was sent is asked for again while a member has not got it. */
function useSaid(id: string) {
  const { client } = useApp();
  const lost = useLive().link === 'lost';
  const received = useQuery({
    queryKey: [...keys.groups, id, 'messages'],
    queryFn: ({ signal }) => client.groupMessages(id, signal),
    refetchInterval: lost ? limits.pollLostMs : limits.pollLiveMs,
  });
  const sent = useQuery({
    queryKey: [...keys.groups, id, 'sent'],
    queryFn: ({ signal }) => client.groupSent(id, signal),
    refetchInterval: ({ state }) =>
      state.data?.some(({ members }) => members.some((one) => one.state === 'queued')) === true || lost
        ? limits.pollLostMs
        : limits.pollLiveMs,
  });
  return { received, sent };
}

function Thread({ said }: { readonly said: readonly Said[] }): ReactNode {
  const scroll = useRef<HTMLDivElement>(null);
  const now = useNow(60_000);
  useLayoutEffect(() => {
    scroll.current?.scrollTo(0, scroll.current.scrollHeight);
  }, [said.length]);
  if (said.length === 0) return <p className="pad muted">{talk.none}</p>;
  return (
    <div className="said" ref={scroll} tabIndex={0} role="log" aria-label={talk.title}>
      {said.map((one) => (
        <Message key={one.message.id} said={one} nowMs={now} />
      ))}
    </div>
  );
}

function Message({ said, nowMs }: { readonly said: Said; readonly nowMs: number }): ReactNode {
  const { payload, sentMs } = said.message;
  return (
    <article className={said.own ? 'msg msg-own' : 'msg'}>
      <p className="small">
        <b>{said.own ? talk.you : said.message.fromName}</b> <span className="quiet">{clockTime(sentMs, nowMs)}</span>
      </p>
      <p className="written">{typeof payload === 'string' ? payload : JSON.stringify(payload, null, 2)}</p>
      {said.own && <Delivery members={said.message.members} />}
    </article>
  );
}

function Delivery({ members }: { readonly members: (Said & { own: true })['message']['members'] }): ReactNode {
  const { dot, text } = summaryOf(members);
  if (members.length === 0) return null;
  return (
    <details className="small">
      <summary>
        <State dot={dot}>{text}</State>
      </summary>
      <ul className="stack">
        {members.map((member) => (
          <li key={member.peerId} className="row">
            <b>{member.name}</b>
            <State dot={dotOf(member.state)}>{stateText(member)}</State>
          </li>
        ))}
      </ul>
    </details>
  );
}
