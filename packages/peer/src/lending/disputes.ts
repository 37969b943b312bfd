import {
  callMethod,
  type Clock,
  type CryptoProvider,
  type EntryBody,
  fromHex,
  type Network,
  PeerAiError,
  type PeerId,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import {
  type LeaseBook,
  leaseEntry,
  leaseReceiptEntry,
  type LeaseRecord,
  readLeaseReceipt,
  signedReceipt,
} from '@peerai/ledger/lease';
import { encodeEvidence, leaseEndEntry, openEnd } from '@peerai/ledger/market';
import type { PeerErrorCode } from '../errors.ts';
import { refusedReceipts } from '../market/refused-receipts.ts';
import { createVerdicts } from '../market/verdicts.ts';
import type { NodeLendingDeps } from './lending.ts';
import { type LeaseAnswer, leaseMethod, type LeaseQuestion, plainAnswer, plainQuestion } from './lending-protocol.ts';
import { lendingLimits as limits } from './limits.ts';

export interface DisputesDeps extends Pick<
  NodeLendingDeps,
  'identity' | 'store' | 'devices' | 'nameOf' | 'commons' | 'stopping'
> {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly book: LeaseBook;
  readonly changed: (lease: LeaseRecord) => void;
  /** Nothing runs on its nodes any more. */
  readonly dropped: (id: string) => void;
  /** Goes on in the background, until the peer stops. */
  readonly quiet: (task: Promise<unknown>) => void;
}
/** Leases of nodes that one side ends without the other's yes: a signature under what both signed last, and a file that shows it. */
export interface Disputes {
  /** Throws NOT_FOUND, LEASE_STATE, LIMIT_EXCEEDED. The other side hears of it now, or when it is here again. */
  dispute(id: string, reason: string): Promise<{ readonly lease: LeaseRecord; readonly evidence: string }>;
  /** Throws LIMIT_EXCEEDED. */
  evidence(lease: LeaseRecord, reason: string): Promise<string>;
  /** Keeps a receipt that this side does not sign, where signatures alone convict its lender. */
  refused(lease: LeaseRecord, receipt: Uint8Array): Promise<void>;
  /** The other side's dispute. Throws LEASE_UNKNOWN, and what the book throws. */
  heard(peer: PeerId, question: LeaseQuestion): Promise<LeaseAnswer>;
  /** Those that this peer, or anybody, was not told of yet. */
  tellAgain(peer?: PeerId): void;
}

export function createDisputes(deps: DisputesDeps): Disputes {
  const { identity, clock, crypto, book, devices, stopping, commons } = deps;
  const verdicts = createVerdicts({
    crypto,
    self: identity.peer,
    nowMs: () => clock.nowMs(),
    nameOf: deps.nameOf,
    isDevice: (peer) => devices.get(peer) !== undefined,
    note: (peer, deed, id) => commons().reputation.note(peer, deed, id),
  });
  const told = new Set<string>();
  const proofs = refusedReceipts(crypto, deps.store.room('refused').room('nodes'));
  const documentsOf = async (lease: LeaseRecord): Promise<readonly EntryBody[]> => [
    ...signedOf(lease),
    ...(await proofs.of(lease.id)),
  ];
  const evidence: Disputes['evidence'] = async (lease, reason) =>
    encodeEvidence({ lease: lease.id, reason, documents: await documentsOf(lease) });

  /** Says it with the newest receipt that this side has, and takes the other's: either may have been lost on the way. */
  const tell = async ({ id, peer }: LeaseRecord): Promise<void> => {
    const addresses = devices.get(peer)?.addresses ?? [];
    for (;;) {
      const lease = book.get(id);
      if (lease?.end === undefined) return;
      const { role, signed } = lease.progress;
      const facts = { id: fromHex(id), n: signed.n, receipt: signedReceipt(lease), end: lease.end };
      const question = { ...plainQuestion, ...facts, kind: 'dispute' } as const;
      const answer = await callMethod(deps, peer, leaseMethod, question, { signal: stopping, addresses });
      const after = role === 'borrower' ? await book.booked(id, answer.booked) : await completed(lease, answer.receipt);
      deps.changed(after);
      // A receipt that came with the answer is confirmed by asking once more.
      if (after.progress.signed.n === signed.n) break;
    }
    told.add(id);
  };
  const completed = async (lease: LeaseRecord, receipt: Uint8Array | undefined): Promise<LeaseRecord> => {
    const isNew = receipt !== undefined && readLeaseReceipt(receipt).n > lease.progress.signed.n;
    return isNew ? book.complete(lease.id, receipt) : lease;
  };

  return {
    evidence,
    refused: (lease, receipt) =>
      proofs.keep(lease.id, { of: 'node', lender: lease.terms.lender, receipt }, signedOf(lease)),
    async dispute(id, reason) {
      const lease = book.get(id);
      if (lease?.end !== undefined)
        throw new PeerAiError('LEASE_STATE', 'this lease is disputed already', { state: 'disputed' });
      if (lease === undefined) throw unknown();
      const text = await evidence(lease, reason);
      const disputed = await book.declare(id, crypto.sha256(utf8(text)));
      deps.dropped(id);
      deps.changed(disputed);
      deps.quiet(tell(disputed));
      return { lease: disputed, evidence: text };
    },
    async heard(peer, { id, n = 0, receipt, end = new Uint8Array() }) {
      const lease = book.get(toHex(id ?? new Uint8Array()));
      if (lease === undefined || lease.peer !== peer) throw unknown();
      if (toHex(openEnd(crypto, end).end.lease) !== lease.id)
        throw new PeerAiError('INVALID_FORMAT', 'this dispute is of another lease');
      const before =
        lease.progress.role === 'lender'
          ? await completed(lease, receipt)
          : await book.booked(lease.id, Math.min(n, lease.progress.signed.n));
      verdicts.heard(before, end, await documentsOf(before));
      const disputed = await book.declared(end);
      deps.dropped(lease.id);
      deps.changed(disputed);
      return { ...plainAnswer, receipt: signedReceipt(disputed), booked: disputed.progress.signed.n };
    },
    tellAgain(peer) {
      const isOwed = ({ id, end, endedMs }: LeaseRecord): boolean =>
        end !== undefined &&
        !told.has(id) &&
        clock.nowMs() - (endedMs ?? 0) < limits.keptMs &&
        openEnd(crypto, end).end.by === identity.peer;
      for (const lease of book.list())
        if ((peer === undefined || lease.peer === peer) && isOwed(lease)) deps.quiet(tell(lease));
    },
  };
}

/** A lease with what both signed last of it, and how one of them ended it. */
function signedOf(lease: LeaseRecord): readonly EntryBody[] {
  const receipt = signedReceipt(lease);
  return [
    leaseEntry(lease.lease),
    ...(receipt === undefined ? [] : [leaseReceiptEntry(receipt)]),
    ...(lease.end === undefined ? [] : [leaseEndEntry(lease.end)]),
  ];
}

const unknown = (): PeerAiError => new PeerAiError<PeerErrorCode>('LEASE_UNKNOWN', 'this peer has no such lease');
