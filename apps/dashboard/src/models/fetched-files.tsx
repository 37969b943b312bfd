import type { CacheView, FetchedView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { ago, bytes, roundTrip, sentence, shortId } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { UsageBar } from '../ui/people.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { models } from './strings.ts';

const words = models.cache;

/** Files that came from devices by their hash, and a form that fetches another. */
export function FetchedFiles(): ReactNode {
  const { client } = useApp();
  const cache = useQuery({ queryKey: keys.cache, queryFn: ({ signal }) => client.cache(signal) });
  return (
    <Card title={words.title} aside={words.lead}>
      <Region query={cache} what={words.what}>
        {(view) => <Kept view={view} />}
      </Region>
      <FetchForm />
    </Card>
  );
}

function Kept({ view }: { readonly view: CacheView }): ReactNode {
  const nowMs = useNow(5_000);
  const room = words.room(bytes(view.bytes), bytes(view.quotaBytes));
  return (
    <>
      <div className="pad stack">
        <UsageBar used={view.bytes} whole={view.quotaBytes} label={room} />
        <p className="small muted">
          {room} {view.offered ? words.offered : words.ownOnly}
        </p>
      </div>
      {view.files.length > 0 && (
        <ul className="rows" aria-label={words.title}>
          {view.files.map((file) => (
            <Row key={file.sha256} file={file} nowMs={nowMs} />
          ))}
        </ul>
      )}
    </>
  );
}

function Row({ file, nowMs }: { readonly file: CacheView['files'][number]; readonly nowMs: number }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const remove = useMutation({
    mutationFn: () => client.removeFromCache(file.sha256),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.cache }),
  });
  return (
    <li className="pad stack">
      <div className="row">
        <code title={file.sha256}>{shortId(file.sha256)}</code>
        <Button
          push
          look="bad"
          disabled={remove.isPending}
          aria-label={words.removeOf(shortId(file.sha256))}
          onClick={() => remove.mutate()}
        >
          {words.remove}
        </Button>
      </div>
      <p className="small muted">
        {words.facts(bytes(file.bytes), file.fromName, ago(file.fetchedMs, nowMs), ago(file.usedMs, nowMs))}
      </p>
      {remove.isError && <ErrorNote title={words.notRemoved} error={remove.error} />}
    </li>
  );
}

function FetchForm(): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const fetching = useMutation({
    mutationFn: ({ sha256, importAs }: { readonly sha256: string; readonly importAs: string }) =>
      client.fetchToCache({ sha256, ...(importAs === '' ? {} : { importAs }) }),
    onSuccess: () => Promise.all([keys.cache, keys.models].map((queryKey) => cache.invalidateQueries({ queryKey }))),
  });
  return (
    <form
      className="pad stack over"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        // Both fields are text; files are not asked for.
        const text = (name: string): string => (form.get(name) as string).trim();
        fetching.mutate({ sha256: text('sha256'), importAs: text('importAs') });
      }}
    >
      <h3>{words.fetch}</h3>
      <p className="muted">{words.fetchText}</p>
      <label className="field">
        {words.hash}
        <input name="sha256" required pattern="\s*[0-9a-fA-F]{64}\s*" title={words.hashForm} autoComplete="off" />
      </label>
      <label className="field">
        {words.importAs}
        <input name="importAs" maxLength={128} autoComplete="off" autoCapitalize="none" />
      </label>
      <div className="row">
        <Button type="submit" disabled={fetching.isPending}>
          {fetching.isPending ? words.fetching : words.fetchNow}
        </Button>
      </div>
      <div role="status" className="stack small">
        {fetching.isSuccess && <Fetched found={fetching.data} />}
      </div>
      {fetching.isError && <ErrorNote title={words.notFetched} error={fetching.error} />}
    </form>
  );
}

/** Who was asked, nearest first, and what came of it. */
function Fetched({ found }: { readonly found: FetchedView }): ReactNode {
  return (
    <>
      <p>{found.wasHere ? words.wasHere : words.came(bytes(found.bytes))}</p>
      {found.importedAs !== undefined && <p>{words.imported(found.importedAs)}</p>}
      {found.asked.length > 0 && (
        <ul className="stack">
          {found.asked.map((one) => (
            <li key={one.name}>
              <b className="anywhere">{one.name}</b>
              {one.roundTripMs !== null && <span className="muted"> {roundTrip(one.roundTripMs)}</span>}{' '}
              {one.code === null ? words.gave : `${one.code}: ${sentence(one.reason ?? '')}`}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
