import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { shortId } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { State } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { ui } from '../ui/strings.ts';
import { models as words } from './strings.ts';

/** Peers that say they serve a model, strangers too. */
export function FindModel(): ReactNode {
  const { client } = useApp();
  const find = useMutation({
    mutationFn: async (model: string) => ({ model, peers: (await client.findPeers({ model })).peers }),
  });
  return (
    <form
      className="pad stack over"
      onSubmit={(event) => {
        event.preventDefault();
        // Every field is text; files are not asked for.
        find.mutate((new FormData(event.currentTarget).get('model') as string).trim());
      }}
    >
      <h3>{words.find}</h3>
      <p className="muted">{words.findText}</p>
      <div className="join">
        <label className="field">
          {words.model}
          <input name="model" required maxLength={128} pattern=".*\S.*" autoComplete="off" autoCapitalize="none" />
        </label>
        <Button type="submit" disabled={find.isPending}>
          {find.isPending ? words.looking : words.look}
        </Button>
      </div>
      <div role="status" className="stack small">
        {find.isSuccess && <Found {...find.data} />}
      </div>
      {find.isError && <ErrorNote title={ui.failed} error={find.error} />}
    </form>
  );
}

type FoundPeers = Awaited<ReturnType<ReturnType<typeof useApp>['client']['findPeers']>>['peers'];

function Found({ model, peers }: { readonly model: string; readonly peers: FoundPeers }): ReactNode {
  if (peers.length === 0) return <p>{words.nobody(model)}</p>;
  return (
    <>
      <p>{words.found(peers.length, model)}</p>
      <ul className="stack">
        {peers.map(({ peerId, name, paired }) => (
          <li key={peerId} className="row">
            <b className="anywhere">{name === '' ? words.unnamed : name}</b>
            <code>{shortId(peerId.slice(-16))}</code>
            <State dot={paired ? 'direct' : 'offline'}>{paired ? words.paired : words.stranger}</State>
          </li>
        ))}
      </ul>
    </>
  );
}
