/** Every bound of settling leases on a chain, with its unit and its reason. */
export const settlementLimits = {
  /** One message of `/peerai/settlement/1`, bytes: a key's statement of 512, or a receipt of 1,024 and an endorsement of 384, and some room. */
  messageBytesMax: 4_096,
  /** How long one question of it may take, milliseconds: a signature, a commit, and perhaps the first look at the chain. */
  callMs: 15_000,
  /** How long after a lease's end its last receipt may still be handed in, milliseconds: a day in which the node may be away. Both sides count the same. */
  handInMs: 86_400_000,
  /** When of it the lender hands in what it has, though the borrower has not endorsed the last receipt, milliseconds: half of it, so that a second try has time. */
  patienceMs: 43_200_000,
  /** How often it is looked whether something is due, milliseconds. */
  lookMs: 1_000,
  /** First and longest wait before a chain that said no is asked again, milliseconds. */
  retryMsMin: 5_000,
  retryMsMax: 300_000,
  /** How often the borrower looks whether the lender has handed in the last receipt, milliseconds: a block or two of Ethereum. */
  watchMs: 30_000,
  /** One step on the chain, milliseconds: a transaction's way into a block, with the questions before it. */
  stepMs: 180_000,
  /** Answers the lender gives beyond the last that the borrower endorsed, count: what it may lose if the borrower then stays away. */
  unendorsedMax: 16,
  /** Deposits that are over and still listed, count; the oldest go first, what they came to stays. */
  overKeptMax: 1_000,
} as const;
