/**
 * The market: what peers owe each other, computed from what both signed, and where it is settled. For peers that work for each other at a price.
 *
 * @packageDocumentation
 */
export type { Escrow, EscrowState, EscrowTerms, FinalReceipt, LogHead, Settlement } from './settlement.ts';
