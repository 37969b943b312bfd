import type { Change, PeerId, Store } from '@peerai/core-protocol';
import { records } from '../store/records.ts';
import { settlementLimits as limits } from './limits.ts';
import type { DepositView } from './settlement.schema.ts';

/** What this peer knows of the escrow of one lease. */
export interface Deposit extends Pick<
  DepositView,
  | 'lease'
  | 'of'
  | 'role'
  | 'state'
  | 'amountMicro'
  | 'paidMicro'
  | 'refundMs'
  | 'reference'
  | 'opened'
  | 'closed'
  | 'failure'
> {
  readonly peer: PeerId;
  /** When the lease's own time is over. */
  readonly endsMs: number;
  readonly sinceMs: number;
  /** The newest receipt that is endorsed: at the lender with the borrower's word, at the borrower as the lender has it. Bytes as base64url. */
  readonly endorsed?: {
    readonly n: number;
    readonly dueMicro: string;
    readonly receipt: string;
    readonly endorsement: string;
  };
}
/** Micro-credits that went over the chain between this peer and another. */
export interface Paid {
  readonly byUs: bigint;
  readonly toUs: bigint;
}

/** The escrows of this peer's leases, on disk and in memory. */
export interface Deposits {
  get(lease: string): Deposit | undefined;
  /** Oldest first. */
  list(): readonly Deposit[];
  put(deposit: Deposit): Promise<void>;
  /** These fields of one that is there; the others stay as they are by then. */
  change(lease: string, fields: Partial<Deposit>): Promise<void>;
  /** One whose money never left. */
  forget(lease: string): Promise<void>;
  paid(peer: PeerId): Paid;
  peers(): ReadonlySet<PeerId>;
}

export const isPending = ({ state }: Deposit): boolean => state === 'waiting' || state === 'open';

export async function openDeposits(store: Store): Promise<Deposits> {
  const rows = records<Omit<Deposit, 'of'> & Partial<Pick<Deposit, 'of'>>>(store, 'deposit');
  const pastRows = records<readonly [byUs: string, toUs: string]>(store, 'past');
  const found: Deposit[] = [];
  // Before leases of other things could be here, all were of models.
  for await (const [, deposit] of rows.all()) found.push({ ...deposit, of: deposit.of ?? 'model' });
  const all = new Map(found.toSorted((a, b) => a.sinceMs - b.sinceMs).map((one) => [one.lease, one]));
  const past = new Map<PeerId, Paid>();
  for await (const [peer, [byUs, toUs]] of pastRows.all())
    past.set(peer as PeerId, { byUs: BigInt(byUs), toUs: BigInt(toUs) });

  const plus = ({ byUs, toUs }: Paid, { role, paidMicro }: Deposit): Paid =>
    role === 'borrower' ? { byUs: byUs + BigInt(paidMicro), toUs } : { byUs, toUs: toUs + BigInt(paidMicro) };
  /** The oldest that are over make room; what they came to stays. */
  const forgetting = (): Change[] => {
    const over = [...all.values()].filter((one) => !isPending(one));
    return over.slice(0, Math.max(0, over.length - limits.overKeptMax)).flatMap((one) => {
      const sum = plus(past.get(one.peer) ?? nothing, one);
      past.set(one.peer, sum);
      all.delete(one.lease);
      return [rows.remove(one.lease), pastRows.put(one.peer, [`${sum.byUs}`, `${sum.toUs}`])];
    });
  };
  const put = async (deposit: Deposit): Promise<void> => {
    all.set(deposit.lease, deposit);
    await store.commit([rows.put(deposit.lease, deposit), ...forgetting()]);
  };
  return {
    get: (lease) => all.get(lease),
    list: () => [...all.values()],
    put,
    async change(lease, fields) {
      const before = all.get(lease);
      if (before !== undefined) await put({ ...before, ...fields });
    },
    async forget(lease) {
      all.delete(lease);
      await store.commit([rows.remove(lease)]);
    },
    paid: (peer) =>
      [...all.values()]
        .filter((one) => one.peer === peer)
        .reduce((sum, one) => plus(sum, one), past.get(peer) ?? nothing),
    peers: () => new Set([...past.keys(), ...[...all.values()].map(({ peer }) => peer)]),
  };
}

const nothing: Paid = { byUs: 0n, toUs: 0n };
