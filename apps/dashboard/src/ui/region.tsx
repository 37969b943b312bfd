import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { ago } from '../shared/format.ts';
import { ErrorNote } from './note.tsx';
import { ui } from './strings.ts';

/** The wall clock, read again every `everyMs`. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Grey bars; they show after 300 ms, so that a fast answer never flickers. */
export function Loading({ what }: { readonly what: string }): ReactNode {
  return (
    <div className="pad stack appear" aria-busy="true">
      <span className="vh">{ui.loading(what)}</span>
      <div className="skel skel-a" />
      <div className="skel" />
      <div className="skel skel-b" />
    </div>
  );
}

/** `as of 12 s ago`: what is old is dated, never removed. */
export function AsOf({ atMs }: { readonly atMs: number }): ReactNode {
  const now = useNow();
  return <span>{ui.asOf(ago(atMs, now))}</span>;
}

/** The four states of everything that is fetched: loading, error, stale, there. Emptiness is the page's own matter. */
export function Region<T>({
  query,
  what,
  children,
}: {
  readonly query: UseQueryResult<T>;
  readonly what: string;
  readonly children: (data: T) => ReactNode;
}): ReactNode {
  const { data } = query;
  if (data === undefined) {
    if (!query.isError) return <Loading what={what} />;
    const retry = (): void => void query.refetch();
    return (
      <div className="pad">
        <ErrorNote
          title={ui.couldNotLoad(what.charAt(0).toUpperCase() + what.slice(1))}
          error={query.error}
          onRetry={retry}
        />
      </div>
    );
  }
  if (!query.isError) return children(data);
  return (
    <div className="stale stack">
      {children(data)}
      <p className="pad small">
        <AsOf atMs={query.dataUpdatedAt} />
      </p>
    </div>
  );
}
