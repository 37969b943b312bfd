/**
 * Leases settled on an EVM chain, for peers that want money where the books of both are not enough: an escrow contract without an owner, receipts
 * the borrower endorses for it, checkpoints anchored there. Needs the optional package viem; without it everything else of the ledger works.
 *
 * @packageDocumentation
 */
export { askNode, type ChainOptions, connectEscrow, deployEscrow, type Done, type EscrowChain } from './chain.ts';
export { decodeEndorsement, type Endorsement, type EscrowPlace, type Hex } from './endorsement.ts';
export { evmLimits, evmTimes } from './limits.ts';
export { type EvmSettlement, evmSettlement, type EvmSettlementDeps, type EvmSettlementOptions } from './settlement.ts';
export {
  createSettlementKey,
  type EvmAddress,
  openSettlementKey,
  type SettlementKey,
  settlementKey,
  settlementKeyEntry,
  settlementKeyKind,
  type SettlementKeyStatement,
  stateSettlementKey,
} from './settlement-key.ts';
export { loadViem, type Viem } from './viem.ts';
