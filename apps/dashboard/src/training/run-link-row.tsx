import type { TrainingLinkView } from '@peerai/peer/control';
import { useMutation } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { ago, bytes, span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Command, CopyButton } from '../ui/copy.tsx';
import { Note } from '../ui/note.tsx';
import { QrCode } from '../ui/people.tsx';
import { Sure } from '../ui/sure.tsx';
import { links as words } from './strings.ts';

/** One link into a run: how long it lives, who came with it, the link itself, and the way to end it. */
export function LinkRow({
  link,
  nowMs,
  onEnded,
}: {
  readonly link: TrainingLinkView;
  readonly nowMs: number;
  readonly onEnded: (link: TrainingLinkView) => void;
}): ReactNode {
  const isActive = link.state === 'active' && link.expiresMs > nowMs;
  const state = link.state === 'active' && !isActive ? 'expired' : link.state;
  return (
    <li className={isActive ? 'pad stack' : 'pad stack stale'}>
      <div className="row">
        <b>{words.came(link.visitors.length, link.visitorsMax)}</b>
        <span className="push small">{isActive ? words.left(span(link.expiresMs - nowMs)) : words.states[state]}</span>
      </div>
      {link.handed !== null && (
        <p className="small muted anywhere">{words.handed(link.handed.name, bytes(link.handed.bytes))}</p>
      )}
      {link.visitors.length > 0 && (
        <ul className="guests">
          {link.visitors.map(({ peerId, name, lastSeenMs }) => (
            <li key={peerId} className="row small">
              <span className="anywhere">{name}</span>
              <span className="push">{words.seen(ago(lastSeenMs, nowMs))}</span>
            </li>
          ))}
        </ul>
      )}
      {isActive && <Controls link={link} onEnded={onEnded} />}
    </li>
  );
}

function Controls({
  link,
  onEnded,
}: {
  readonly link: TrainingLinkView;
  readonly onEnded: (link: TrainingLinkView) => void;
}): ReactNode {
  const { client } = useApp();
  const [isShown, setShown] = useState(false);
  const [sure, setSure] = useState(false);
  const end = useMutation({ mutationFn: () => client.stopTrainingLink(link.id), onSuccess: onEnded });
  if (sure)
    return (
      <Sure
        title={words.endSure}
        act={words.endNow}
        keep={words.keep}
        doing={end}
        onAct={() => end.mutate()}
        onKeep={() => setSure(false)}
      />
    );
  return (
    <>
      <div className="row">
        <CopyButton text={link.link}>{words.copy}</CopyButton>
        <Button aria-expanded={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? words.hide : words.show}
        </Button>
        <Button look="bad" icon="stop" onClick={() => setSure(true)}>
          {words.end}
        </Button>
      </div>
      <Reach link={link} />
      {isShown && (
        <>
          <QrCode text={link.link} label={words.qr} />
          <Command text={link.link} label={words.copy} short />
        </>
      )}
    </>
  );
}

/** Where the link does not work everywhere, that is said before it is handed over. */
function Reach({ link: { reach, warning } }: { readonly link: TrainingLinkView }): ReactNode {
  if (reach === 'relay' && warning === undefined) return <p className="small muted">{words.anywhere}</p>;
  return (
    <Note kind="warn" title={words.near[reach]}>
      <p>{warning ?? words.noRelay}</p>
      {reach !== 'relay' && <Command text={words.relayCommand} />}
    </Note>
  );
}
