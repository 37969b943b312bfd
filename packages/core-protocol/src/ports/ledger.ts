import type { PeerId } from './brand.ts';
import type { Change } from './store.ts';

export interface EntryBody {
  readonly kind: string;
  readonly body: Uint8Array;
}
export interface Checkpoint {
  readonly origin: PeerId;
  readonly size: bigint;
  /** C2SP signed note, text. */
  readonly note: string;
}
/** One signed RFC 6962 log per peer: ours to append, others' to check and hold. */
export interface Ledger {
  /** Appends in order, with a room's own changes in the same commit; returns the first index. */
  append(entries: readonly EntryBody[], alongside?: readonly Change[]): Promise<bigint>;
  /** The signed head with the cosignatures so far; never inconsistent with an earlier one. */
  checkpoint(origin?: PeerId): Promise<Checkpoint>;
  /** One offline file: note, index, path, cosignatures; `verifyProof` needs nothing else. Throws NOT_IN_LOG. */
  prove(index: bigint, origin?: PeerId): Promise<Uint8Array>;
  read(from: bigint, to: bigint, origin?: PeerId): AsyncIterable<Uint8Array>;
}
