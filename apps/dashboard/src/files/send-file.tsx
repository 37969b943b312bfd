import type { PeerView } from '@peerai/peer/control';
import { PeerAiError } from '@peerai/core-protocol';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { bytes } from '../shared/format.ts';
import { checkReadable } from '../ui/readable-file.ts';
import { Button } from '../ui/button.tsx';
import { DeviceField, NoDevice } from '../ui/devices.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { form } from './strings.ts';

/** One file to one device. When the agent has it, the list shows how far it is. */
export function SendFile({
  devices,
  first,
  bytesMax,
}: {
  readonly devices: readonly PeerView[];
  /** Whom the page was opened for. */
  readonly first: string | undefined;
  readonly bytesMax: number;
}): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const element = useRef<HTMLFormElement>(null);
  const stop = useRef<AbortController>(undefined);
  const [to, setTo] = useState(first);
  const send = useMutation({
    mutationFn: async ({ peer, file }: { readonly peer: string; readonly file: File }) => {
      stop.current = new AbortController();
      await checkReadable(file, bytesMax);
      return client.sendFile(peer, file.name, file, stop.current.signal);
    },
    onSuccess: (file) => {
      applyEvent(cache, { type: 'file-changed', file });
      element.current?.reset();
    },
  });
  const device = devices.find(({ peerId }) => peerId === to) ?? devices[0];
  if (device === undefined) return <NoDevice />;
  return (
    <form
      ref={element}
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        const file = new FormData(event.currentTarget).get('file');
        if (file instanceof File) send.mutate({ peer: device.peerId, file });
      }}
    >
      <DeviceField label={form.to} devices={devices} value={device.peerId} onChoose={setTo} />
      <label className="field">
        {form.file}
        <input name="file" type="file" required />
      </label>
      <p className="small muted">{form.most(bytes(bytesMax))}</p>
      <Button look="primary" type="submit" disabled={send.isPending}>
        {send.isPending ? form.sending : form.send}
      </Button>
      {send.isPending && <Button onClick={() => stop.current?.abort()}>{form.cancel}</Button>}
      <div role="status" className="small">
        {send.isSuccess && <p className="anywhere">{form.onItsWay(send.data.name, send.data.peerName)}</p>}
      </div>
      {send.isError && !PeerAiError.is(send.error, 'ABORTED') && <ErrorNote title={form.failed} error={send.error} />}
    </form>
  );
}
