import type { PendingPairing } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { applyEvent } from '../app/live.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Emoji } from '../ui/people.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { pairing as words } from './strings.ts';

/** Two people compare four pictures; the inviter's answer decides. */
export function PairSheet({
  pairing,
  onClose,
}: {
  readonly pairing: PendingPairing;
  readonly onClose: () => void;
}): ReactNode {
  const incoming = pairing.direction === 'incoming';
  return (
    <Sheet title={incoming ? words.titleIn(pairing.name) : words.titleOut(pairing.name)} icon="lock" onClose={onClose}>
      <section>
        <p>{words.look(pairing.name)}</p>
        <Emoji emoji={pairing.emoji} words={pairing.emojiNames} large />
        <p className="muted">{pairing.emojiNames.join(' · ')}</p>
      </section>
      {pairing.state === 'waiting' && incoming && <Decide pairing={pairing} />}
      {pairing.state === 'waiting' && !incoming && (
        <section role="status">
          <p>{words.confirmThere(pairing.name)}</p>
        </section>
      )}
      {pairing.state !== 'waiting' && <Outcome pairing={pairing} onClose={onClose} />}
    </Sheet>
  );
}

function Decide({ pairing }: { readonly pairing: PendingPairing }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const answer = useMutation({
    mutationFn: (match: boolean) => (match ? client.acceptPairing(pairing.id) : client.rejectPairing(pairing.id)),
    onSuccess: (changed) => applyEvent(cache, { type: 'pairing-changed', pairing: changed }),
  });
  return (
    <>
      <section>
        <h3>{words.may}</h3>
        <ul className="stack">
          {pairing.allow.length === 0 && <li className="muted">{words.mayNothing}</li>}
          {pairing.allow.map((permission) => (
            <li key={permission}>{words.permissions[permission]}</li>
          ))}
        </ul>
      </section>
      <section>
        <div className="row">
          <Button look="primary" disabled={answer.isPending} onClick={() => answer.mutate(true)}>
            {words.match}
          </Button>
          <Button look="bad" disabled={answer.isPending} onClick={() => answer.mutate(false)}>
            {words.noMatch}
          </Button>
        </div>
        <p className="small muted">{words.noMatchMeans}</p>
        {answer.isError && <ErrorNote title={words.failed} error={answer.error} />}
      </section>
    </>
  );
}

function Outcome({ pairing, onClose }: { readonly pairing: PendingPairing; readonly onClose: () => void }): ReactNode {
  const cache = useQueryClient();
  const close = (): void => {
    void cache.invalidateQueries({ queryKey: keys.pairings });
    onClose();
  };
  const good = pairing.state === 'accepted';
  const text = good ? words.accepted(pairing.name) : pairing.state === 'rejected' ? words.rejected : words.expired;
  return (
    <section>
      <Note kind={good ? 'ok' : 'warn'} title={text} live />
      <Button look="primary" onClick={close}>
        {words.done}
      </Button>
    </section>
  );
}
