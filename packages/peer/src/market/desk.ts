import { PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';
import { type MeteredBook, type MeteredRecord, openMetered } from '@peerai/ledger/market';
import type { PeerErrorCode } from '../errors.ts';
import { escrowedMetered, meteredToSettle } from './escrowed-lease.ts';
import type { Escrows } from './escrows.ts';
import type { MarketDeps } from './market.ts';
import type { MarketAnswer, MarketQuestion } from './market-protocol.ts';
import type { OfferBook } from './offers.ts';

export interface DeskDeps extends Pick<MarketDeps, 'identity' | 'crypto' | 'admit'> {
  readonly book: MeteredBook;
  readonly offers: OfferBook;
  readonly escrows: Escrows;
  readonly changed: (lease: MeteredRecord) => MeteredRecord;
  /** The other side's word on how a lease ended, before anything is made of it. */
  readonly heard: (end: Uint8Array) => Promise<void>;
  readonly stopping: AbortSignal;
}

/** Answers what other peers ask of this market. */
export function createDesk(deps: DeskDeps) {
  const { identity, crypto, book, offers, escrows, changed, heard, stopping } = deps;
  const accept = async (peer: PeerId, half: Uint8Array): Promise<MarketAnswer> => {
    const { terms, id } = openMetered(crypto, half);
    if (terms.borrower !== peer || terms.lender !== identity.peer)
      throw new PeerAiError('INVALID_FORMAT', 'a lease is offered by its borrower to its lender');
    const offer = offers.get(terms.subject);
    const isKnown = book.get(toHex(id)) !== undefined;
    if (terms.resource !== 'model' || (offer === undefined && !isKnown))
      throw new PeerAiError<PeerErrorCode>('NOT_OFFERED', 'this peer does not offer that');
    if (offer !== undefined && !isKnown) {
      deps.admit(peer);
      if (terms.unitPrice < offer.unitPrice)
        throw new PeerAiError<PeerErrorCode>('PRICE_TOO_LOW', 'this peer asks more for that model now');
      const { tokensMax, minutesMax } = offer;
      if (terms.unitsMax > tokensMax || terms.minutes > minutesMax)
        throw new PeerAiError('LIMIT_EXCEEDED', `at most ${tokensMax} tokens and ${minutesMax} minutes in one lease`);
    }
    await escrows.check(meteredToSettle(terms, toHex(id)), stopping);
    const lease = changed(await book.accept(half));
    return { offers: [], document: lease.lease };
  };
  return {
    async answer(peer: PeerId, { kind, document = new Uint8Array() }: MarketQuestion): Promise<MarketAnswer> {
      if (kind === 'offers') return { offers: offers.list(), document: undefined };
      if (kind === 'lease') return accept(peer, document);
      await heard(document);
      const lease = kind === 'end' ? await book.agree(document) : await book.disputed(document);
      changed(lease);
      await escrows.close(escrowedMetered(lease), stopping);
      return { offers: [], document: lease.end };
    },
  };
}
