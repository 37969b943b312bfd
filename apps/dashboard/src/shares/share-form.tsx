import type { ModelView, ShareRequest, ShareView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { count } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { form } from './strings.ts';

/** What the protocol allows a ticket to say. */
const bounds = {
  tokens: { least: 1, most: 1_000_000_000 },
  guests: { least: 1, most: 100 },
  concurrency: { least: 1, most: 16 },
} as const;

export function ShareForm({
  models,
  onMade,
}: {
  readonly models: readonly ModelView[];
  readonly onMade: (share: ShareView) => void;
}): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const make = useMutation({
    mutationFn: (request: ShareRequest) => client.share(request),
    onSuccess: (share) => {
      applyEvent(cache, { type: 'share-changed', share });
      onMade(share);
    },
  });
  if (models.length === 0) return <p className="pad muted">{form.noModel}</p>;
  return (
    <form
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate(readRequest(new FormData(event.currentTarget)));
      }}
    >
      <label className="field">
        {form.model}
        <select name="model">
          {models.map((model) => (
            <option key={model.name}>{model.name}</option>
          ))}
        </select>
      </label>
      <div className="pair">
        <label className="field">
          {form.forTime}
          <select name="forMs" defaultValue={form.times[1].ms}>
            {form.times.map(({ label, ms }) => (
              <option key={ms} value={ms}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <NumberField name="tokens" label={form.tokens} start={20_000} />
        <NumberField name="guests" label={form.guests} start={3} />
        <NumberField name="concurrency" label={form.atOnce} start={1} />
      </div>
      <Button look="primary" type="submit" disabled={make.isPending}>
        {make.isPending ? form.making : form.make}
      </Button>
      {make.isError && <ErrorNote title={form.failed} error={make.error} />}
    </form>
  );
}

function NumberField({
  name,
  label,
  start,
}: {
  readonly name: keyof typeof bounds;
  readonly label: string;
  readonly start: number;
}): ReactNode {
  const [text, setText] = useState(`${start}`);
  const { least, most } = bounds[name];
  const value = Number(text);
  const fine = Number.isInteger(value) && value >= least && value <= most;
  return (
    <label className="field">
      {label}
      <input
        name={name}
        type="number"
        inputMode="numeric"
        required
        min={least}
        max={most}
        step={1}
        value={text}
        aria-invalid={!fine}
        onChange={(event) => setText(event.target.value)}
      />
      {!fine && <small role="alert">{form.number(least, count(most))}</small>}
    </label>
  );
}

function readRequest(fields: FormData): ShareRequest {
  // Every field is text; files are not asked for.
  const text = (name: string): string => fields.get(name) as string;
  const number = (name: string): number => Number(text(name));
  return {
    model: text('model'),
    forMs: number('forMs'),
    tokens: number('tokens'),
    guests: number('guests'),
    concurrency: number('concurrency'),
  };
}
