import { PeerAiError, type Store } from '@peerai/core-protocol';
import { records } from '../store/records.ts';
import { peerMarketLimits as limits } from './limits.ts';
import type { OfferFacts } from './market-protocol.ts';

/** What the owner of this peer offers, on disk. */
export interface OfferBook {
  get(model: string): OfferFacts | undefined;
  /** By name. */
  list(): readonly OfferFacts[];
  /** Throws LIMIT_REACHED. */
  put(offer: OfferFacts): Promise<void>;
  remove(model: string): Promise<boolean>;
}
interface Stored extends Omit<OfferFacts, 'unitPrice'> {
  readonly unitPrice: string;
}

export async function openOffers(store: Store): Promise<OfferBook> {
  const rows = records<Stored>(store, 'offer');
  const offers = new Map<string, OfferFacts>();
  for await (const [, stored] of rows.all())
    offers.set(stored.model, { ...stored, unitPrice: BigInt(stored.unitPrice) });
  return {
    get: (model) => offers.get(model),
    list: () => [...offers.values()].toSorted((a, b) => (a.model < b.model ? -1 : 1)),
    async put(offer) {
      if (!offers.has(offer.model) && offers.size >= limits.offersMax)
        throw new PeerAiError('LIMIT_REACHED', `${offers.size} models are offered; withdraw one first`);
      await store.commit([rows.put(offer.model, { ...offer, unitPrice: `${offer.unitPrice}` })]);
      offers.set(offer.model, offer);
    },
    async remove(model) {
      if (!offers.has(model)) return false;
      await store.commit([rows.remove(model)]);
      return offers.delete(model);
    },
  };
}
