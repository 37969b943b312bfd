import type { PeerId } from '@peerai/core-protocol';
import { type Between, isMeteredOpen, meteredMs, type MeteredRecord } from '@peerai/ledger/market';
import type { BalanceView, MarketView, MeteredLeaseView } from './market.schema.ts';
import type { OfferFacts } from './market-protocol.ts';

type NameOf = (peer: PeerId) => string;

/** What a credit is, for people. */
export const unitSentence =
  'A credit counts what two peers did for each other: nobody issues it, what one gains the other loses, and it is worth what the two make of it.';

export const offerView = ({ model, unitPrice, tokensMax, minutesMax }: OfferFacts): MarketView['offers'][number] => ({
  model,
  unitPriceMicro: `${unitPrice}`,
  tokensMax,
  minutesMax,
});

export function meteredView(lease: MeteredRecord, nameOf: NameOf): MeteredLeaseView {
  const { id, role, peer, state, terms, used, n, price, due, sinceMs, endedMs, agreed } = lease;
  return {
    id,
    role,
    state,
    sinceMs,
    agreed,
    peerId: peer,
    peerName: nameOf(peer),
    resource: terms.resource,
    model: terms.subject,
    unitPriceMicro: `${terms.unitPrice}`,
    tokensMax: terms.unitsMax,
    tokensUsed: terms.resource === 'model' ? Number(used) : 0,
    answers: n,
    priceMicro: `${price}`,
    dueMicro: `${due}`,
    lockedMicro: `${isMeteredOpen(lease) ? price - due : 0n}`,
    endsMs: sinceMs + meteredMs(terms),
    endedMs: endedMs ?? null,
  };
}

export const balanceView = (peer: PeerId, between: Between, nameOf: NameOf): BalanceView => ({
  peerId: peer,
  peerName: nameOf(peer),
  owesMicro: `${between.owes}`,
  lockedByUsMicro: `${between.lockedByUs}`,
  lockedByThemMicro: `${between.lockedByThem}`,
});

export const sumOf = (a: Between, b: Between): Between => ({
  owes: a.owes + b.owes,
  lockedByUs: a.lockedByUs + b.lockedByUs,
  lockedByThem: a.lockedByThem + b.lockedByThem,
});
