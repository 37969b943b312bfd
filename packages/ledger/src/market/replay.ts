import type { CryptoProvider, EntryBody, PeerId } from '@peerai/core-protocol';
import { collect, type RefusedDocument } from './collect.ts';
import type { PointsPolicy } from './points.ts';
import { type PointsStanding, replayPoints } from './points-standing.ts';
import { type Between, type LeaseStanding, standingOf } from './standing.ts';

export interface ReplayOptions {
  /** Wall clock: decides which leases' time is over. */
  readonly nowMs: number;
  /** What groups have decided about points; without a decision nobody issues any. */
  readonly policies?: readonly PointsPolicy[];
}
/** What a history of signed documents comes to. */
export interface MarketStanding {
  readonly leases: ReadonlyMap<string, LeaseStanding>;
  /** Micro-credits of each peer over all others: what it earned less what it paid. They add up to 0. */
  readonly totals: ReadonlyMap<PeerId, bigint>;
  /** Between two peers, as `peer` sees it. */
  between(peer: PeerId, other: PeerId): Between;
  readonly points: ReadonlyMap<string, PointsStanding>;
  /** Documents that count for nothing, with the reason's code. */
  readonly refused: readonly RefusedDocument[];
}

/**
 * Balances from documents alone: the same for every order of them, and for documents that come twice. Each receipt takes from one peer what it gives to the
 * other, and nothing else moves credits. Throws LIMIT_EXCEEDED for more than `replayDocumentsMax`.
 */
export function replayMarket(
  crypto: CryptoProvider,
  documents: Iterable<EntryBody>,
  { nowMs, policies = [] }: ReplayOptions,
): MarketStanding {
  const { leases: found, receipts, ends, moves, refused } = collect(crypto, documents);
  const leases = new Map<string, LeaseStanding>();
  const totals = new Map<PeerId, bigint>();
  const pairs = new Map<string, Between>();
  const post = (peer: PeerId, other: PeerId, change: Between): void => {
    const name = `${peer}/${other}`;
    const { owes, lockedByUs, lockedByThem } = pairs.get(name) ?? nothing;
    pairs.set(name, {
      owes: owes + change.owes,
      lockedByUs: lockedByUs + change.lockedByUs,
      lockedByThem: lockedByThem + change.lockedByThem,
    });
    totals.set(peer, (totals.get(peer) ?? 0n) - change.owes);
  };
  for (const [id, document] of found) {
    const standing = standingOf(id, document, receipts.get(id) ?? [], ends.get(id) ?? [], nowMs);
    leases.set(id, standing);
    const { lender, borrower, paid, locked } = standing;
    post(borrower, lender, { owes: paid, lockedByUs: locked, lockedByThem: 0n });
    post(lender, borrower, { owes: -paid, lockedByUs: 0n, lockedByThem: locked });
  }
  const points = replayPoints(moves, policies);
  return {
    leases,
    totals,
    between: (peer, other) => pairs.get(`${peer}/${other}`) ?? nothing,
    points: points.groups,
    refused: [...refused, ...points.refused],
  };
}

const nothing: Between = { owes: 0n, lockedByUs: 0n, lockedByThem: 0n };
