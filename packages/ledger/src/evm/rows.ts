import { fromUtf8, type PeerId, toHex, utf8, wire } from '@peerai/core-protocol';
import type { EscrowTerms } from '../market/settlement.ts';
import { bytesOf, hexOf } from './endorsement.ts';
import type { EvmAddress } from './settlement-key.ts';

/** What this peer knows of a lease on chain; what became of it, the chain knows. */
export interface EscrowRow extends EscrowTerms {
  /** The two keys at its opening: a peer that changes its key keeps its open leases. */
  readonly consumer: EvmAddress;
  readonly provider: EvmAddress;
  /** Place of the newest receipt that was handed in, 0 before the first. */
  readonly n: number;
}

const codec = wire.message({
  version: wire.uint32(1),
  lease: wire.bytes(2),
  lender: wire.bytes(3),
  borrower: wire.bytes(4),
  amount: wire.uint64(5),
  refundMs: wire.uint53(6),
  consumer: wire.bytes(7),
  provider: wire.bytes(8),
  n: wire.uint32(9),
});

export const escrowKey = (lease: Uint8Array): string => `escrow/${toHex(lease)}`;

export const encodeRow = ({ lender, borrower, consumer, provider, ...row }: EscrowRow): Uint8Array =>
  codec.encode({
    version: 1,
    ...row,
    lender: utf8(lender),
    borrower: utf8(borrower),
    consumer: bytesOf(consumer),
    provider: bytesOf(provider),
  });

export function decodeRow(value: Uint8Array): EscrowRow {
  const { version: _, lender, borrower, consumer, provider, ...row } = codec.decode(value);
  return {
    ...row,
    lender: fromUtf8(lender) as PeerId,
    borrower: fromUtf8(borrower) as PeerId,
    consumer: hexOf(consumer),
    provider: hexOf(provider),
  };
}
