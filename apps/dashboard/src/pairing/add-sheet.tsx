import type { InviteView, Permission } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Command } from '../ui/copy.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { QrCode } from '../ui/people.tsx';
import { useNow } from '../ui/region.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { Permissions } from './permissions.tsx';
import { add } from './strings.ts';

/** Both ways to bring two devices together: invite the other one, or join it. */
export function AddSheet({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Sheet title={add.title} icon="plus" onClose={onClose}>
      <Invite />
      <Join onJoined={onClose} />
    </Sheet>
  );
}

function Invite(): ReactNode {
  const { client } = useApp();
  const [allow, setAllow] = useState<Permission[]>(['chat']);
  const invite = useMutation({ mutationFn: () => client.invite(allow) });
  return (
    <section>
      <h3>{add.invite}</h3>
      {invite.data === undefined ? (
        <>
          <p className="muted">{add.inviteText}</p>
          <fieldset>
            <legend className="small muted">{add.may}</legend>
            <Permissions allow={allow} onChange={setAllow} />
          </fieldset>
          <Button look="primary" disabled={invite.isPending} onClick={() => invite.mutate()}>
            {add.make}
          </Button>
        </>
      ) : (
        <InviteCard invite={invite.data} onAgain={() => invite.reset()} />
      )}
      {invite.isError && <ErrorNote title={add.failedInvite} error={invite.error} />}
    </section>
  );
}

function InviteCard({ invite, onAgain }: { readonly invite: InviteView; readonly onAgain: () => void }): ReactNode {
  const leftMs = invite.expiresMs - useNow();
  if (leftMs <= 0) {
    return (
      <>
        <p role="status">{add.ended}</p>
        <Button onClick={onAgain}>{add.again}</Button>
      </>
    );
  }
  return (
    <>
      <p>{add.onTheOther}</p>
      <Command text={`peerai join ${invite.link}`} label={add.commandLabel} short />
      <div className="row row-top">
        <QrCode text={invite.link} label={add.qr} />
        <div className="stack">
          <p className="muted">{add.orScan}</p>
          <p className="small muted">{add.ends(span(leftMs))}</p>
        </div>
      </div>
      <Command text={invite.link} label={add.linkLabel} short />
    </>
  );
}

function Join({ onJoined }: { readonly onJoined: () => void }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [link, setLink] = useState('');
  const join = useMutation({
    mutationFn: () => client.join(link.trim()),
    onSuccess: (pairing) => {
      applyEvent(cache, { type: 'pairing-changed', pairing });
      onJoined();
    },
  });
  return (
    <section>
      <h3>{add.join}</h3>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (link.trim() !== '') join.mutate();
        }}
      >
        <label className="field">
          {add.link}
          <input
            value={link}
            onChange={(event) => setLink(event.target.value)}
            autoComplete="off"
            spellCheck={false}
            maxLength={2048}
          />
        </label>
        <Button type="submit" disabled={join.isPending || link.trim() === ''}>
          {join.isPending ? add.joining : add.joinNow}
        </Button>
      </form>
      {join.isError && <ErrorNote title={add.failedJoin} error={join.error} />}
    </section>
  );
}
