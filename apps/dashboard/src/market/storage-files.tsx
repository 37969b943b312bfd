import type { StorageLeaseView, StoredFileView } from '@peerai/peer/control';
import { PeerAiError } from '@peerai/core-protocol';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { ago, bytes } from '../shared/format.ts';
import { saveAs } from '../shared/save.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Sure } from '../ui/sure.tsx';
import { storageAgain } from './storage-again.ts';
import { storage as words } from './storage-words.ts';

/** One file of ours at a lender. */
export function StoredFile({ file, nowMs }: { readonly file: StoredFileView; readonly nowMs: number }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [sure, setSure] = useState(false);
  const save = useMutation({
    mutationFn: async () => {
      const parts: Blob[] = [];
      // Each part is the browser's at once, which puts much of it on the disk.
      for await (const piece of await client.storedFile(file.id)) parts.push(new Blob([piece.slice()]));
      saveAs(new Blob(parts), file.name);
    },
  });
  const drop = useMutation({
    mutationFn: () => client.removeStoredFile(file.id),
    onSuccess: () => storageAgain(cache),
  });
  return (
    <li className="pad stack">
      <p className="row">
        <b className="anywhere">
          <bdi>{file.name}</bdi>
        </b>
        <span className="small push">{words.files(bytes(file.bytes), ago(file.storedMs, nowMs))}</span>
      </p>
      {sure ? (
        <Sure
          title={words.dropSure(file.name, file.peerName)}
          act={words.dropNow}
          doing={drop}
          onAct={() => drop.mutate()}
          onKeep={() => setSure(false)}
        >
          <p>{words.dropText}</p>
        </Sure>
      ) : (
        <div className="row">
          <Button disabled={save.isPending} aria-label={words.saveNamed(file.name)} onClick={() => save.mutate()}>
            {save.isPending ? words.saving : words.save}
          </Button>
          <Button look="bad" aria-label={words.dropNamed(file.name)} onClick={() => setSure(true)}>
            {words.drop}
          </Button>
        </div>
      )}
      {save.isError && <ErrorNote title={words.saveFailed} error={save.error} />}
    </li>
  );
}

/** One more file to this lender; it resolves when the lender has it all and has shown it. */
export function PutFile({ lease: { lease, peerName } }: { readonly lease: StorageLeaseView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const element = useRef<HTMLFormElement>(null);
  const stop = useRef<AbortController>(undefined);
  const put = useMutation({
    mutationFn: (file: File) => {
      stop.current = new AbortController();
      return client.storeFile(lease, file.name, file, stop.current.signal);
    },
    async onSuccess() {
      element.current?.reset();
      await storageAgain(cache);
    },
  });
  return (
    <form
      ref={element}
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const file = new FormData(event.currentTarget).get('file');
        if (file instanceof File) put.mutate(file);
      }}
    >
      <label className="field">
        {words.file(peerName)}
        <input name="file" type="file" required />
      </label>
      <div className="row">
        <Button type="submit" disabled={put.isPending}>
          {put.isPending ? words.putting : words.put}
        </Button>
        {put.isPending && <Button onClick={() => stop.current?.abort()}>{words.stop}</Button>}
      </div>
      <div role="status" className="small">
        {put.isSuccess && <p className="anywhere">{words.stored(put.data.file.name)}</p>}
      </div>
      {put.isError && !PeerAiError.is(put.error, 'ABORTED') && <ErrorNote title={words.putFailed} error={put.error} />}
    </form>
  );
}
