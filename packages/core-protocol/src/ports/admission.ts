import type { PeerId } from './brand.ts';
import type { Usage } from './language-model.ts';

export interface Claim {
  readonly peer: PeerId;
  /** The peer's own id for this request. A resent one is joined to its running answer before anybody reserves again; here each id runs once. */
  readonly requestId: string;
  /** `model:<name>`. */
  readonly resource: string;
  /** Tokens asked for at most: prompt estimate + answer limit. */
  readonly units: number;
  /** The first frame's ticket proof, absent for paired peers. */
  readonly grant?: Uint8Array;
  /** The caller begins before the reservation is on disk, and shows nothing of the work until `durable` has resolved. */
  readonly early?: boolean;
}
/** May this peer have this, and what did it get? */
export interface Admission {
  /**
   * Durable before work, or decided before work and `durable` before anything of it is shown, where the claim asks for that. Throws NOT_GRANTED, PEER_BLOCKED, TICKET_INVALID, TICKET_EXPIRED, TICKET_REVOKED, BUDGET_SPENT, MODEL_NOT_SHARED,
   * TOO_MANY_GUESTS, TOO_MANY, RECEIPT_UNSIGNED, REFUSED (this id runs already, or its receipt still waits for a signature).
   */
  reserve(claim: Claim): Promise<Reservation>;
}
export interface Reservation {
  /** Tokens that this request may use, prompt and answer together: at most what was claimed, less when the budget is nearly spent. */
  readonly units: number;
  /** With `early`: resolves when the reservation is on disk; rejects when it did not get there, and then it is given back already. */
  readonly durable?: Promise<void>;
  /** Aborts when the right is taken away while the work runs: the share was stopped, the peer blocked. */
  readonly revoked: AbortSignal;
  /** Books what was used; returns our half of the receipt, opaque to the caller. `workHash`: SHA-256 over prompt and answer bytes. */
  settle(usage: Usage, workHash: Uint8Array): Promise<Uint8Array>;
  /** Takes the consumer's countersigned receipt. Throws INVALID_SIGNATURE. */
  countersigned(receipt: Uint8Array): Promise<void>;
  /** Gives everything back: nothing was used. */
  release(): Promise<void>;
}
