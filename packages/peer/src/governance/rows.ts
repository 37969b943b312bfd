import type { Choice } from '@peerai/ledger/governance';

/** A group as this peer keeps it. Bytes are base64url. */
export interface GroupRow {
  readonly genesis: string;
  /** `invited`: the owner has not said yes. */
  readonly state: 'invited' | 'joined';
  /** Who invited. */
  readonly from?: string;
  /** Whom this peer invited and did not reach yet: it is told when it is here. */
  readonly invite: readonly string[];
  /** Whether this peer's yes has not reached `from` yet. */
  readonly owesConsent?: boolean;
  readonly sinceMs: number;
}
/** The key of one vote with ballots that this peer proposed, PKCS #8. */
export interface KeyRow {
  readonly privateKey: string;
}
/** The owner's choice on a vote with ballots, and what its ballot is made of. */
export interface BallotRow {
  readonly choice: Choice;
  /** Seed of the token's key. */
  readonly seed: string;
  readonly prefix?: string;
  readonly blinded?: string;
  readonly inverse?: string;
}
