import type { FileView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Fragment, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { saveAs } from '../shared/save.ts';
import { ago, bytes } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { State } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { UsageBar } from '../ui/people.tsx';
import { ui } from '../ui/strings.ts';
import { Sure } from '../ui/sure.tsx';
import { dotOf, isOnItsWay, percentOf, stateText } from './file-state.ts';
import { files as words } from './strings.ts';

/** One file: how far it is, what it is, and what can be done with it. */
export function FileRow({ file, nowMs }: { readonly file: FileView; readonly nowMs: number }): ReactNode {
  const { name, direction, peerName, startedMs, endedMs } = file;
  const percent = percentOf(file);
  const isOpen = isOnItsWay(file);
  return (
    <li className="pad stack">
      <div className="row">
        <b className="anywhere">
          <bdi>{name}</bdi>
        </b>
        <span className="push small">{ago(endedMs ?? startedMs, nowMs)}</span>
      </div>
      <div className="row small">
        <State dot={dotOf(file)}>{stateText(file)}</State>
        <span>
          {direction === 'out' ? words.to(peerName) : words.from(peerName)} · {bytes(file.bytes)}
        </span>
      </div>
      {isOpen && <UsageBar used={percent} whole={100} label={words.progress(name, percent)} />}
      <Acts file={file} />
      <details className="small">
        <summary aria-label={words.detailsOf(name)}>{words.details}</summary>
        <Facts file={file} />
      </details>
    </li>
  );
}

function Facts({ file }: { readonly file: FileView }): ReactNode {
  const facts: readonly (readonly [string, string | null])[] = [
    [words.hash, file.sha256],
    [words.place, file.path],
    [words.way, file.way === null ? null : words.ways[file.way]],
    [words.code, file.code],
    [words.id, file.id],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, value]) =>
        value === null ? null : (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{value}</code>
            </dd>
          </Fragment>
        ),
      )}
    </dl>
  );
}

function Acts({ file }: { readonly file: FileView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [sure, setSure] = useState(false);
  const end = useMutation({
    mutationFn: () => client.endFile(file.id),
    onSuccess: (ended) => applyEvent(cache, { type: 'file-changed', file: ended }),
  });
  const save = useMutation({
    mutationFn: async () => saveAs(await client.fileContent(file.id), file.name),
  });
  if (isOnItsWay(file)) {
    return (
      <div className="row">
        <Button
          look="bad"
          icon="stop"
          disabled={end.isPending}
          aria-label={words.cancelNamed(file.name)}
          onClick={() => end.mutate()}
        >
          {words.cancel}
        </Button>
        {end.isError && <ErrorNote title={ui.failed} error={end.error} />}
      </div>
    );
  }
  if (file.path === null) return null;
  if (sure) {
    return (
      <Sure
        title={words.removeSure(file.name)}
        act={words.removeNow}
        doing={end}
        onAct={() => end.mutate()}
        onKeep={() => setSure(false)}
      />
    );
  }
  return (
    <div className="row">
      <Button disabled={save.isPending} aria-label={words.saveNamed(file.name)} onClick={() => save.mutate()}>
        {save.isPending ? words.saving : words.save}
      </Button>
      <Button look="bad" aria-label={words.removeNamed(file.name)} onClick={() => setSure(true)}>
        {words.remove}
      </Button>
      {save.isError && <ErrorNote title={words.saveFailed} error={save.error} />}
    </div>
  );
}
