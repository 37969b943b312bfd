import type { TrainingJoin, TrainingOfferView } from '@peerai/peer/control';
import { PeerAiError } from '@peerai/core-protocol';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { bytes, count, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { Facts } from '../ui/facts.tsx';
import { EpsilonField, readPrivacy } from './run-fields.tsx';
import { dataText, modelText } from './run-state.ts';
import { join as words, train } from './strings.ts';

/** What joining takes and who sees what, in front of the yes to it. */
export function JoinRun({
  offer,
  onClose,
}: {
  readonly offer: TrainingOfferView;
  readonly onClose: () => void;
}): ReactNode {
  const { name, from, members, plan, round, terms, parameters, asks, invited } = offer;
  return (
    <Sheet title={words.title(name)} icon="train" onClose={onClose}>
      <section>
        <h3>{words.takes}</h3>
        <Facts
          facts={[
            [words.teaches, `${modelText(plan)}, ${plural(parameters, 'weight')}`],
            [words.runs, `${from.name}, ${plural(members, 'device')} in it`],
            [words.invited, invited.length === 0 ? null : invited.map((one) => one.name).join(', ')],
            [words.progress, train.round(round, terms.rounds)],
            [words.once, bytes(asks.firstBytes)],
            [words.each, words.inOut(bytes(asks.roundBytesReceived), bytes(asks.roundBytesSent))],
            [words.work, words.steps(count(asks.stepsLeft))],
          ]}
        />
      </section>
      <section>
        <h3>{words.seen}</h3>
        <Note kind="warn" title={terms.kind === 'open' ? words.openTitle : words.privateTitle}>
          <p>{terms.kind === 'open' ? words.open : words.private}</p>
        </Note>
        <ul className="stack">
          {asks.visible.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </section>
      <section>
        <h3>{words.yours}</h3>
        <JoinForm offer={offer} onClose={onClose} />
      </section>
    </Sheet>
  );
}

function JoinForm({ offer, onClose }: { readonly offer: TrainingOfferView; readonly onClose: () => void }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const { plan } = offer;
  const join = useMutation({
    mutationFn: async ({ file, ...own }: { readonly file: File } & Omit<TrainingJoin, 'data' | 'accept'>) => {
      stop.current = new AbortController();
      const { signal } = stop.current;
      const data = await client.readTrainingData(file.name, file, signal);
      return client.joinTraining(offer.id, { data: data.id, accept: true, ...own }, signal);
    },
    onSuccess: async (run) => {
      applyEvent(cache, { type: 'training-changed', run });
      onClose();
      await navigate({ to: '/train', search: { id: run.id } });
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const fields = new FormData(event.currentTarget);
        const file = fields.get('file');
        if (file instanceof File) join.mutate({ file, threads: Number(fields.get('threads')), ...readPrivacy(fields) });
      }}
    >
      <p className="muted anywhere">{dataText(plan)}</p>
      {plan.model === 'adapter' && <p className="muted anywhere">{words.base(plan.base.name, plan.base.sha256)}</p>}
      <label className="field">
        {words.data}
        <input name="file" type="file" required />
      </label>
      <label className="field">
        {words.threads}
        <input name="threads" type="number" min={1} max={16} defaultValue={1} required />
      </label>
      <EpsilonField />
      <label className="opt">
        <input name="accept" type="checkbox" required />
        {words.accept}
      </label>
      <div className="row">
        <Button look="primary" type="submit" disabled={join.isPending}>
          {join.isPending ? words.doing : words.act}
        </Button>
        <Button onClick={onClose}>{words.notNow}</Button>
      </div>
      {join.isError && !PeerAiError.is(join.error, 'ABORTED') && <ErrorNote title={words.failed} error={join.error} />}
    </form>
  );
}
