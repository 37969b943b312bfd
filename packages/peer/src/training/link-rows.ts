import type { PeerId, Store } from '@peerai/core-protocol';
import type { ShareFacts } from '@peerai/core-protocol/access';
import { fromHex } from '@peerai/core-protocol';
import { records } from '../store/records.ts';
import type { TrainingLinkView } from './training.schema.ts';

/** A link into one run, as kept on disk. */
export interface LinkRow {
  /** Hex of the ticket's id. */
  readonly id: string;
  /** Hex of the ticket's secret. */
  readonly secret: string;
  /** The run's id, and what it is called. */
  readonly run: string;
  readonly name: string;
  readonly link: string;
  readonly reach: TrainingLinkView['reach'];
  readonly warning?: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly visitorsMax: number;
  /** In the order in which they came first. */
  readonly visitors: readonly { readonly peer: PeerId; readonly lastSeenMs: number }[];
  /** The parts of the owner's data, one for each visitor. */
  readonly handed?: {
    readonly name: string;
    readonly shards: readonly { readonly sha256: string; readonly bytes: number }[];
  };
  readonly endedMs?: number;
  readonly endedBy?: 'owner' | 'run';
}

/** All of them, newest last; each change is on disk when it resolves. */
export interface LinkRows {
  all(): readonly LinkRow[];
  get(id: string): LinkRow | undefined;
  save(row: LinkRow): Promise<void>;
  remove(id: string): Promise<void>;
}

export async function openLinkRows(store: Store): Promise<LinkRows> {
  const room = store.room('training');
  const kept = records<LinkRow>(room, 'link');
  const rows = new Map<string, LinkRow>();
  for await (const [id, row] of kept.all()) rows.set(id, row);
  return {
    all: () => [...rows.values()].toSorted((a, b) => a.createdMs - b.createdMs),
    get: (id) => rows.get(id),
    async save(row) {
      await room.commit([kept.put(row.id, row)]);
      rows.set(row.id, row);
    },
    async remove(id) {
      await room.commit([kept.remove(id)]);
      rows.delete(id);
    },
  };
}

export function linkState(row: LinkRow, nowMs: number): TrainingLinkView['state'] {
  if (row.endedBy !== undefined) return row.endedBy === 'owner' ? 'stopped' : 'over';
  return row.expiresMs <= nowMs ? 'expired' : 'active';
}

/** What `decide` looks at. Training counts no tokens: one is there for whoever asks. */
export const linkFacts = (row: LinkRow): ShareFacts => ({
  ticketId: fromHex(row.id),
  models: [],
  runs: [row.run],
  tokens: 1,
  tokensUsed: 0,
  tokensReserved: 0,
  expiresMs: row.expiresMs,
  revoked: row.endedBy === 'owner',
  guests: row.visitorsMax,
  guestsSeen: row.visitors.map(({ peer }) => peer),
  concurrency: 1,
  active: 0,
});
