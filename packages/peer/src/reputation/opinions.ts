import type { PeerId, Store } from '@peerai/core-protocol';
import type { Opinion } from '@peerai/ledger/reputation';
import { records } from '../store/records.ts';
import { standingLimits as limits } from './limits.ts';

/** What others say, each peer's last word on each; in memory and on disk. */
export interface Opinions {
  about(subject: PeerId): readonly Opinion[];
  /** Takes the place of all this teller said before. Throws what the store throws. */
  replace(teller: PeerId, said: readonly Opinion[]): Promise<void>;
}

interface Row {
  readonly said: readonly Opinion[];
}

/** Throws what the store throws. */
export async function openOpinions(room: Store): Promise<Opinions> {
  const rows = records<Row>(room, 'opinions');
  const byTeller = new Map<PeerId, readonly Opinion[]>();
  for await (const [teller, { said }] of rows.all()) byTeller.set(teller as PeerId, said);
  return {
    about: (subject) => [...byTeller.values()].flat().filter((opinion) => opinion.subject === subject),
    async replace(teller, said) {
      const isNew = !byTeller.has(teller);
      const newestMs = (one: PeerId): number => Math.max(0, ...(byTeller.get(one) ?? []).map(({ timeMs }) => timeMs));
      const [oldest] = [...byTeller.keys()].sort((a, b) => newestMs(a) - newestMs(b));
      const gone = isNew && byTeller.size >= limits.tellersMax && oldest !== undefined ? oldest : undefined;
      await room.commit([rows.put(teller, { said }), ...(gone === undefined ? [] : [rows.remove(gone)])]);
      byTeller.set(teller, said);
      if (gone !== undefined) byTeller.delete(gone);
    },
  };
}
