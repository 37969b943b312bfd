import type { Fingerprint, ShareView } from '@peerai/peer/control';
import { useState, type ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import { Command, CopyButton } from '../ui/copy.tsx';
import { Note } from '../ui/note.tsx';
import { Emoji, QrCode } from '../ui/people.tsx';
import { ready } from './strings.ts';

/** A link to hand over. Where it does not work everywhere, that is said first and the link comes after a second look. */
export function ShareReady({
  share,
  fingerprint,
  onClose,
}: {
  readonly share: ShareView;
  readonly fingerprint: Fingerprint;
  readonly onClose: () => void;
}): ReactNode {
  const near = share.reach !== 'relay';
  const [shown, setShown] = useState(!near);
  return (
    <div className="pad stack over" role="region" aria-label={ready.title}>
      {near ? (
        <Note kind="warn" title={share.reach === 'lan' ? ready.lan : ready.machine} live>
          <p>{share.warning ?? ready.noRelay}</p>
          <Command text={ready.relayCommand} />
        </Note>
      ) : (
        <p role="status">{ready.anywhere}</p>
      )}
      {shown ? (
        <>
          <div className="row row-top">
            <QrCode text={share.link} label={ready.qr} />
            <div className="stack">
              <p className="small muted">{ready.say}</p>
              <Emoji {...fingerprint} />
              <p className="small muted">{fingerprint.words.join(', ')}</p>
            </div>
          </div>
          <Command text={share.link} label={ready.copy} short />
          <details className="small">
            <summary>{ready.program}</summary>
            <p className="muted">{ready.programText}</p>
            <Command text={share.apiKey} label={ready.copyKey} short />
          </details>
          <div className="row">
            <CopyButton text={share.link} look="primary">
              {near ? ready.copyAnyway : ready.copy}
            </CopyButton>
            <a className="link small" href={share.link} target="_blank" rel="noreferrer">
              {ready.see}
            </a>
            <Button look="quiet" push onClick={onClose}>
              {ready.close}
            </Button>
          </div>
        </>
      ) : (
        <Button onClick={() => setShown(true)}>{ready.show}</Button>
      )}
    </div>
  );
}
