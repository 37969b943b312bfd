import { type Store } from '@peerai/core-protocol';
import { records } from '../store/records.ts';

/** What the owner of this peer lends. */
export interface LendOffer {
  /** Gating nodes, of all leases at once and of one borrower's. */
  readonly nodes: number;
  readonly each: number;
  /** Micro-credits for a node and an hour. */
  readonly nodeHour: bigint;
  readonly minutesMax: number;
  /** Nodes of one borrower at this and all lenders it counts together with; absent: it counts alone. */
  readonly everywhere?: number;
}
/** What is lent, on disk: off until the owner says otherwise. */
export interface OfferBook {
  get(): LendOffer | undefined;
  set(offer: LendOffer | undefined): Promise<void>;
}
interface Stored extends Omit<LendOffer, 'nodeHour'> {
  readonly nodeHour: string;
}

export async function openOffer(store: Store): Promise<OfferBook> {
  const rows = records<Stored>(store, 'offer');
  const stored = await rows.get('own');
  let offer = stored === undefined ? undefined : { ...stored, nodeHour: BigInt(stored.nodeHour) };
  return {
    get: () => offer,
    async set(next) {
      const change =
        next === undefined ? rows.remove('own') : rows.put('own', { ...next, nodeHour: `${next.nodeHour}` });
      await store.commit([change]);
      offer = next;
    },
  };
}

const microPerCredit = 1_000_000n;

/** Credits with up to six places behind the point, as micro-credits; the schema has checked the text. */
export function microOf(credits: string): bigint {
  const [whole = '0', part = ''] = credits.split('.');
  return BigInt(whole) * microPerCredit + BigInt(part.padEnd(6, '0'));
}
