import type { TrainingDataView, TrainingRequest } from '@peerai/peer/control';
import { PeerAiError } from '@peerai/core-protocol';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { bytes, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { type Kind, kindsOf, ModelFields } from './model-fields.tsx';
import { isCut, type KindOfRun, MoreFields, NumberField, readRequest, SeenFields } from './run-fields.tsx';
import { form } from './strings.ts';

/** A run over a file of this computer: the agent reads it first, and says what can be learned from it. */
export function StartRun({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { client } = useApp();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const read = useMutation({
    mutationFn: (file: File) => {
      stop.current?.abort();
      stop.current = new AbortController();
      return client.readTrainingData(file.name, file, stop.current.signal);
    },
  });
  return (
    <Sheet title={form.title} icon="train" onClose={onClose}>
      <section>
        <label className="field">
          {form.data}
          <input
            type="file"
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file !== undefined) read.mutate(file);
            }}
          />
        </label>
        <p className="small muted">{form.most}</p>
        <div role="status" className="small">
          {read.isPending && form.reading}
          {read.isSuccess && whatIs(read.data)}
        </div>
        {read.isError && !PeerAiError.is(read.error, 'ABORTED') && (
          <ErrorNote title={form.unreadable} error={read.error} />
        )}
      </section>
      {read.isSuccess && <RunForm key={read.data.id} data={read.data} onClose={onClose} />}
    </Sheet>
  );
}

function RunForm({ data, onClose }: { readonly data: TrainingDataView; readonly onClose: () => void }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const labels = data.table?.columns.filter(({ values }) => values !== null).map(({ name }) => name) ?? [];
  const [kind, setKind] = useState<Kind>(kindsOf(data, labels)[0] ?? 'language');
  const [seenBy, setSeenBy] = useState<KindOfRun>('open');
  const asked = seenBy === 'stages' && !isCut(kind) ? 'open' : seenBy;
  const start = useMutation({
    mutationFn: (request: TrainingRequest) => client.startTraining(request),
    onSuccess: async (run) => {
      applyEvent(cache, { type: 'training-changed', run });
      onClose();
      await navigate({ to: '/train', search: { id: run.id } });
    },
  });
  return (
    <section>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate(readRequest(data.id, kind, new FormData(event.currentTarget)));
        }}
      >
        <label className="field">
          {form.name}
          <input name="name" required maxLength={64} autoComplete="off" defaultValue={nameOf(data)} />
        </label>
        {data.table !== null && labels.length === 0 && <p className="small muted">{form.noLabel}</p>}
        <ModelFields kind={kind} labels={labels} data={data} onKind={setKind} />
        <div className="pair">
          <NumberField label={form.rounds} name="rounds" value={20} max={2_000} />
          <NumberField label={form.steps} name="localSteps" value={20} max={10_000} />
          <NumberField label={form.threads} name="threads" value={1} max={16} />
        </div>
        <SeenFields kind={asked} of={kind} onKind={setSeenBy} />
        <MoreFields kind={kind} seen={asked} />
        <p className="small muted">
          {asked === 'stages'
            ? form.seenStages
            : `${seen[kind]} ${asked === 'private' ? form.seenPrivate : form.seenOpen}`}
        </p>
        <Button look="primary" type="submit" disabled={start.isPending}>
          {start.isPending ? form.doing : form.act}
        </Button>
        {start.isError && <ErrorNote title={form.failed} error={start.error} />}
      </form>
    </section>
  );
}

const seen: Readonly<Record<Kind, string>> = {
  mlp: form.seenTable,
  language: form.seenText,
  conv: form.seenImages,
  adapter: form.seenAdapter,
  run: form.seenFormer,
};

const nameOf = ({ name }: TrainingDataView): string => name.replace(/\.\w+$/u, '');

function whatIs({ table, images, bytes: size }: TrainingDataView): string {
  if (table === null) return form.plain(bytes(size));
  const rows = plural(table.rows, 'row');
  return images === null ? form.table(rows, plural(table.columns.length, 'column')) : form.images(rows, images.side);
}
