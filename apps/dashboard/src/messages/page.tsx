import type { MessageView, PeerView } from '@peerai/peer/control';
import { useMutation } from '@tanstack/react-query';
import { useRef, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { useMessages, usePeers } from '../app/queries.ts';
import { clockTime } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { form, messages as words } from './strings.ts';

export function MessagesPage(): ReactNode {
  const messages = useMessages();
  const peers = usePeers();
  return (
    <>
      <div className="head">
        <h1>{words.title}</h1>
        <p>{words.lead}</p>
      </div>
      <div className="cols">
        <section className="card" aria-labelledby="received">
          <header>
            <h2 id="received">{words.list}</h2>
            <p className="small quiet push">{words.count(messages.data?.length ?? 0)}</p>
          </header>
          <Region query={messages} what={words.what}>
            {(list) => <Received messages={list} />}
          </Region>
        </section>
        <section className="card" aria-labelledby="send">
          <header>
            <h2 id="send">{form.title}</h2>
          </header>
          <Region query={peers} what="devices">
            {(list) => (
              <SendForm devices={list.filter(({ kind, state }) => kind === 'device' && state !== 'blocked')} />
            )}
          </Region>
        </section>
      </div>
    </>
  );
}

function Received({ messages }: { readonly messages: readonly MessageView[] }): ReactNode {
  const now = useNow(60_000);
  if (messages.length === 0) {
    return (
      <div className="pad stack">
        <h3>{words.none}</h3>
        <p className="muted">{words.noneText}</p>
      </div>
    );
  }
  return (
    <ul className="rows">
      {messages.map(({ id, fromName, sentMs, payload }) => (
        <li key={id} className="pad stack">
          <div className="row">
            <b className="anywhere">{fromName}</b>
            <span className="push small">{clockTime(sentMs, now)}</span>
          </div>
          <p className="written">{typeof payload === 'string' ? payload : JSON.stringify(payload, null, 2)}</p>
        </li>
      ))}
    </ul>
  );
}

function SendForm({ devices }: { readonly devices: readonly PeerView[] }): ReactNode {
  const { client } = useApp();
  const element = useRef<HTMLFormElement>(null);
  const send = useMutation({
    mutationFn: ({ to, text }: { readonly to: string; readonly text: string }) => client.send(to, 'text', text),
    onSuccess: () => element.current?.reset(),
  });
  if (devices.length === 0) return <p className="pad muted">{form.noDevice}</p>;
  const nameOf = (peerId: string): string => devices.find((device) => device.peerId === peerId)?.name ?? '';
  return (
    <form
      ref={element}
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        const fields = new FormData(event.currentTarget);
        // Every field is text; files are not asked for.
        send.mutate({ to: fields.get('to') as string, text: fields.get('text') as string });
      }}
    >
      <label className="field">
        {form.device}
        <select name="to">
          {devices.map(({ peerId, name }) => (
            <option key={peerId} value={peerId}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        {form.text}
        <textarea name="text" rows={4} required maxLength={100_000} />
      </label>
      <Button look="primary" type="submit" disabled={send.isPending}>
        {send.isPending ? form.sending : form.send}
      </Button>
      <p role="status" className="small">
        {send.isSuccess && form.states[send.data.state](nameOf(send.data.to))}
      </p>
      {send.isError && <ErrorNote title={form.failed} error={send.error} />}
    </form>
  );
}
