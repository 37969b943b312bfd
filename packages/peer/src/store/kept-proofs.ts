import { type EntryBody, fromBase64Url, type Store, toBase64Url } from '@peerai/core-protocol';
import { records } from './records.ts';

interface Row {
  readonly kind: string;
  /** Base64url. */
  readonly body: string;
}
/** Documents that speak against others, by lease: the first of each, of so many leases. */
export interface KeptProofs {
  keep(lease: string, entry: EntryBody): Promise<void>;
  of(lease: string): Promise<readonly EntryBody[]>;
}

/** @param most - leases whose proof is kept, count. */
export function keptProofs(store: Store, prefix: string, most: number): KeptProofs {
  const rows = records<Row>(store, prefix);
  return {
    async keep(lease, { kind, body }) {
      const kept: string[] = [];
      for await (const [id] of rows.all()) kept.push(id);
      if (kept.includes(lease)) return;
      const gone = kept.slice(0, Math.max(0, kept.length + 1 - most));
      await store.commit([rows.put(lease, { kind, body: toBase64Url(body) }), ...gone.map((id) => rows.remove(id))]);
    },
    async of(lease) {
      const row = await rows.get(lease);
      return row === undefined ? [] : [{ kind: row.kind, body: fromBase64Url(row.body) }];
    },
  };
}
