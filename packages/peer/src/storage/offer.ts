import type { Store } from '@peerai/core-protocol';
import { records } from '../store/records.ts';

/** Room that the owner of this peer offers. */
export interface StorageOffer {
  /** In all leases together. */
  readonly bytes: number;
  /** Micro-credits for a MiB and an hour. */
  readonly unitPrice: bigint;
  readonly minutesMax: number;
}
export interface StorageOfferBook {
  get(): StorageOffer | undefined;
  set(offer: StorageOffer | undefined): Promise<void>;
}
interface Stored extends Omit<StorageOffer, 'unitPrice'> {
  readonly unitPrice: string;
}

export async function openStorageOffer(store: Store): Promise<StorageOfferBook> {
  const rows = records<Stored>(store, 'offer');
  const stored = await rows.get('own');
  let offer = stored === undefined ? undefined : { ...stored, unitPrice: BigInt(stored.unitPrice) };
  return {
    get: () => offer,
    async set(next) {
      const row =
        next === undefined ? rows.remove('own') : rows.put('own', { ...next, unitPrice: `${next.unitPrice}` });
      await store.commit([row]);
      offer = next;
    },
  };
}
