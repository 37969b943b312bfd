import type { PeerId } from '@peerai/core-protocol';
import { amountsOf, type LeaseBook, leaseMs, type LeaseRecord, readLeaseReceipt } from '@peerai/ledger/lease';
import type { Measured } from './gauge.ts';
import type { LeasesView, LeaseView } from './lending.schema.ts';

type NameOf = (peer: PeerId) => string;

export function leaseView(lease: LeaseRecord, nameOf: NameOf): LeaseView {
  const { id, peer, terms, progress, receipt, sinceMs, endedMs } = lease;
  const { paid, locked, refunded } = amountsOf(progress);
  const {
    n = 0,
    steps = 0,
    busyMs = 0,
    bytesIn = 0,
    bytesOut = 0,
    heldMs = 0,
  } = receipt === undefined ? {} : readLeaseReceipt(receipt);
  return {
    id,
    role: progress.role,
    peerId: peer,
    peerName: nameOf(peer),
    state: progress.state,
    nodes: terms.nodes,
    minutes: terms.minutes,
    priceMicro: `${progress.price}`,
    paidMicro: `${paid}`,
    lockedMicro: `${locked}`,
    refundedMicro: `${refunded}`,
    sinceMs,
    endsMs: sinceMs + leaseMs(terms),
    endedMs: endedMs ?? null,
    runs: n,
    steps,
    busyMs,
    bytesIn,
    bytesOut,
    heldMs,
  };
}

export function leasesView(book: LeaseBook, nameOf: NameOf): LeasesView {
  const leases = book.list();
  const peers = [...new Set(leases.map(({ peer }) => peer))];
  return {
    v: 1,
    leases: leases.map((lease) => leaseView(lease, nameOf)).toReversed(),
    accounts: peers.map((peer) => {
      const { paid, earned, lockedByUs, lockedByThem } = book.account(peer);
      return {
        peerId: peer,
        peerName: nameOf(peer),
        paidMicro: `${paid}`,
        earnedMicro: `${earned}`,
        lockedByUsMicro: `${lockedByUs}`,
        lockedByThemMicro: `${lockedByThem}`,
      };
    }),
  };
}

/** Means with nothing in the place of what was not measured. */
export const measuredView = (
  measured: { readonly [Name in keyof Measured]?: Measured[Name] | undefined } | undefined,
) => ({
  load: measured?.load ?? null,
  processor: measured?.processor ?? null,
  memory: measured?.memory ?? null,
  agoMs: measured?.agoMs ?? 0,
  windowMs: measured?.windowMs ?? 0,
});
