import type { TrainingLinkView, TrainingRunView } from '@peerai/peer/control';
import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { useNode } from '../app/queries.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { NumberField } from './run-fields.tsx';
import { LinkRow } from './run-link-row.tsx';
import { links as words } from './strings.ts';

/** Links with which browsers may take part in an open run, where it is coordinated; else why there are none. */
export function RunLinks({ run }: { readonly run: TrainingRunView }): ReactNode {
  const self = useNode().data?.peerId;
  if (run.endedMs !== null || self === undefined) return null;
  const why = whyNone(run, self);
  return (
    <Card title={words.title}>
      {why === undefined ? <Links id={run.id} /> : <p className="pad small muted anywhere">{why}</p>}
    </Card>
  );
}

function whyNone({ terms, plan, coordinator, role }: TrainingRunView, self: string): string | undefined {
  if (terms.kind !== 'open') return words[terms.kind];
  if (plan.model === 'adapter') return words.adapter;
  if (coordinator === null) return role === 'started' ? undefined : words.nobody;
  return coordinator.peerId === self ? undefined : words.elsewhere(coordinator.name);
}

const keyOf = (id: string): readonly string[] => [...keys.training, id, 'links'];

function Links({ id }: { readonly id: string }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const now = useNow(5_000);
  const links: UseQueryResult<readonly TrainingLinkView[]> = useQuery({
    queryKey: keyOf(id),
    queryFn: async ({ signal }) => (await client.trainingLinks(id, signal)).links,
    refetchInterval: limits.trainingLinksLookMs,
    refetchOnMount: 'always',
  });
  const put = (link: TrainingLinkView): void =>
    void cache.setQueryData<readonly TrainingLinkView[]>(keyOf(id), (all = []) => [
      ...all.filter((one) => one.id !== link.id),
      link,
    ]);
  return (
    <>
      <MakeLink id={id} onMade={put} />
      <Region query={links} what={words.what}>
        {(all) => (
          <ul className="rows">
            {all
              .toSorted(
                (a, b) => Number(b.state === 'active') - Number(a.state === 'active') || b.createdMs - a.createdMs,
              )
              .map((link) => (
                <LinkRow key={link.id} link={link} nowMs={now} onEnded={put} />
              ))}
          </ul>
        )}
      </Region>
    </>
  );
}

function MakeLink({
  id,
  onMade,
}: {
  readonly id: string;
  readonly onMade: (link: TrainingLinkView) => void;
}): ReactNode {
  const { client } = useApp();
  const make = useMutation({
    mutationFn: (fields: FormData) =>
      client.trainingLink(id, { forMs: Number(fields.get('forMs')), visitors: Number(fields.get('visitors')) }),
    onSuccess: onMade,
  });
  return (
    <form
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate(new FormData(event.currentTarget));
      }}
    >
      <p className="small muted">{words.text}</p>
      <div className="pair">
        <label className="field">
          {words.forTime}
          <select name="forMs" defaultValue={words.times[1].ms}>
            {words.times.map(({ label, ms }) => (
              <option key={ms} value={ms}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <NumberField label={words.visitors} name="visitors" value={8} max={limits.trainingVisitorsMax} />
      </div>
      <div className="row">
        <Button icon="share" type="submit" disabled={make.isPending}>
          {make.isPending ? words.making : words.make}
        </Button>
      </div>
      {make.isError && <ErrorNote title={words.failed} error={make.error} />}
    </form>
  );
}
