import { type CryptoProvider, type EntryBody, PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';
import {
  checkEvidence,
  type Fault,
  judgeLease,
  leaseEndEntry,
  type MeteredRecord,
  openEnd,
  type Verdict,
} from '@peerai/ledger/market';
import type { Deed } from '@peerai/ledger/reputation';
import type { VerdictView } from './market.schema.ts';

export interface VerdictsDeps {
  readonly self: PeerId;
  readonly crypto: CryptoProvider;
  readonly nowMs: () => number;
  readonly nameOf: (peer: PeerId) => string;
  /** Its owner let it in here. */
  readonly isDevice: (peer: PeerId) => boolean;
  /** Counts in what is made of a peer; the same id counts once. */
  readonly note: (peer: PeerId, deed: Deed, id: string) => void;
}
/** What is made of who signed what about a lease. */
export interface Verdicts {
  /** The other side says how a lease ended: held against what both signed here. Never throws for what the other side sent. */
  heard(lease: Pick<MeteredRecord, 'id' | 'peer'>, end: Uint8Array, documents: readonly EntryBody[]): void;
  /** A file of evidence about anybody's lease. Throws INVALID_FORMAT, LIMIT_EXCEEDED, NOT_FOUND. */
  judge(text: string): VerdictView;
}

/** A signature against one's own signature is a false statement; one that denies a receipt may have crossed it on the way, and loses the dispute. */
const deedOf: Readonly<Record<Fault, Deed>> = {
  'false-amount': 'lie',
  'signed-twice': 'lie',
  // A lender checks what it shows before it signs: a broken disk makes it refuse, not sign.
  'false-answer': 'lie',
  'receipt-denied': 'dispute-lost',
  'receipt-foreign': 'lie',
  'receipt-amount': 'lie',
  'receipt-over': 'lie',
  'receipt-back': 'lie',
};
export const faultText: Readonly<Record<Fault, string>> = {
  'false-amount': 'signed an end with another amount than both signed for',
  'signed-twice': 'signed two receipts in one place',
  'false-answer': 'signed an answer with bytes that are not those it was given to store',
  'receipt-denied': 'signed an end that leaves out a receipt it had signed',
  'receipt-foreign': 'signed a receipt of this lease for another borrower or model',
  'receipt-amount': 'signed a receipt with another amount than the terms give',
  'receipt-over': 'signed a receipt for more than the lease covers',
  'receipt-back': 'signed a receipt with a smaller total than in one before it',
};

export function createVerdicts(deps: VerdictsDeps): Verdicts {
  const count = ({ lease, faults, winner, disputed }: Verdict): readonly PeerId[] => {
    const counted: PeerId[] = [];
    for (const [peer, fault] of faults) {
      if (peer === deps.self || (deedOf[fault] === 'dispute-lost' && !disputed)) continue;
      deps.note(peer, deedOf[fault], `lease/${lease}/${fault}`);
      if (disputed && deedOf[fault] === 'lie') deps.note(peer, 'dispute-lost', `lease/${lease}/lost`);
      counted.push(peer);
    }
    // A dispute with a key of one's own is quickly won: the loser is somebody whom the owner of this peer knows.
    const isKnown = [...faults.keys()].every((peer) => peer === deps.self || deps.isDevice(peer));
    if (disputed && winner !== undefined && winner !== deps.self && isKnown) {
      deps.note(winner, 'dispute-won', `lease/${lease}/won`);
      counted.push(winner);
    }
    return counted;
  };
  return {
    heard({ id, peer }, end, documents) {
      try {
        if (openEnd(deps.crypto, end).end.by !== peer) return;
        count(judgeLease(deps.crypto, id, [...documents, leaseEndEntry(end)]));
      } catch (error) {
        if (!PeerAiError.is(error)) throw error;
      }
    },
    judge(text) {
      const { evidence, hash } = checkEvidence(deps.crypto, text, deps.nowMs());
      const verdict = judgeLease(deps.crypto, evidence.lease, evidence.documents);
      const counted = count(verdict);
      const { lease, lender, borrower, disputed, winner } = verdict;
      const whoOf = (peer: PeerId) => ({ peerId: peer, name: deps.nameOf(peer), counted: counted.includes(peer) });
      return {
        v: 1,
        lease,
        hash,
        disputed,
        lender: whoOf(lender),
        borrower: whoOf(borrower),
        faults: [...verdict.faults].map(([peer, fault]) => ({ ...whoOf(peer), fault, text: faultText[fault] })),
        winner: winner === undefined ? null : whoOf(winner),
      };
    },
  };
}

/** The lease an end is about, hex; undefined for what is no end. */
export function leaseOfEnd(crypto: CryptoProvider, bytes: Uint8Array): string | undefined {
  try {
    return toHex(openEnd(crypto, bytes).end.lease);
  } catch (error) {
    if (PeerAiError.is(error)) return undefined;
    throw error;
  }
}
