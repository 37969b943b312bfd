/** Codes thrown by the use cases, besides those of the packages below. */
export type PeerErrorCode =
  | 'INVITE_INVALID'
  | 'INVITE_EXPIRED'
  | 'INVITE_USED'
  | 'PAIRING_REJECTED'
  | 'PAIRING_GONE'
  | 'TOO_MANY_PAIRINGS'
  | 'TOO_MANY_DEVICES'
  | 'DEVICE_UNKNOWN'
  | 'KEY_CONFLICT'
  /** Others have seen more of this peer's own log than is here; `details.seen` and `size`. */
  | 'LEDGER_BEHIND'
  | 'SELF_PAIRING'
  | 'MODEL_UNKNOWN'
  | 'MODEL_AMBIGUOUS'
  | 'SHARE_UNKNOWN'
  | 'SHARE_INVALID'
  | 'NO_MODELS'
  | 'MODEL_EXISTS'
  | 'TASK_UNKNOWN'
  | 'TASK_OVER'
  /** No run, offer or data set of that name. */
  | 'RUN_UNKNOWN'
  | 'OFFER_UNKNOWN'
  | 'DATA_UNKNOWN'
  /** This peer trains already. */
  | 'RUN_ACTIVE'
  | 'RUN_OVER'
  /** No gating cluster of that name; or one is there already. */
  | 'CLUSTER_UNKNOWN'
  | 'CLUSTER_EXISTS'
  /** A table or text that does not fit what is to be trained; the details name the row and column. */
  | 'DATA_INVALID'
  | 'DATA_TOO_SMALL'
  /** What an adapter is of is not here. */
  | 'BASE_MISSING'
  /** A device does not offer that at a price. */
  | 'NOT_OFFERED'
  | 'LEASE_UNKNOWN'
  /** The time of a lease is over, or it was ended. */
  | 'LEASE_OVER'
  /** The borrower of a lease on a chain has not endorsed its last answers for the contract. */
  | 'ANSWERS_UNENDORSED'
  /** A lender did not sign what it showed of what it stores. */
  | 'ANSWER_UNSIGNED'
  /** What the lender makes of the borrower is below what it asks for. */
  | 'REPUTATION_LOW'
  | 'LENDING_OFF'
  /** No chain is configured. */
  | 'SETTLEMENT_OFF'
  /** Too few nodes are free for this borrower. */
  | 'NODES_TAKEN'
  /** Of the lender: below what it asks. */
  | 'PRICE_TOO_LOW'
  /** Of the borrower: above what it is ready to pay. */
  | 'PRICE_TOO_HIGH'
  /** No open proposal of that id. */
  | 'PROPOSAL_UNKNOWN'
  /** The group's own rules are against it; `why` says which. */
  | 'VOTE_REFUSED'
  /** Too few members answered in time. */
  | 'NO_DECISION'
  /** The owner has not said yes to this group yet. */
  | 'NOT_JOINED';
