import type { ReactNode } from 'react';
import { clockTime } from '../shared/format.ts';
import { useNow } from './region.tsx';

/** Who wrote what, and when: a text as it is, everything else as JSON. */
export function Said({
  name,
  atMs,
  payload,
}: {
  readonly name: string;
  readonly atMs: number;
  readonly payload: unknown;
}): ReactNode {
  const now = useNow(60_000);
  return (
    <div className="stack">
      <div className="row">
        <b className="anywhere">{name}</b>
        <span className="push small">{clockTime(atMs, now)}</span>
      </div>
      <p className="written">{typeof payload === 'string' ? payload : JSON.stringify(payload, null, 2)}</p>
    </div>
  );
}
