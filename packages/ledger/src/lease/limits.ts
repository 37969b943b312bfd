/** Every bound of leases, with its unit and its reason; apart from the package's others, which a guest's page loads. */
export const leaseLimits = {
  /** Gating nodes of one lease, count: one cluster has no more. */
  nodesMax: 1_024,
  /** Length of one lease, minutes: a day; who needs longer leases again and a lost peer gives its nodes back. */
  minutesMax: 1_440,
  /** Price of a node for an hour, micro-credits: a thousand credits. */
  nodeHourMicroMax: 1_000_000_000n,
  /** What one peer may owe another, with what is locked for it and after what the other owes it, micro-credits: a hundred credits. */
  exposureMicroMax: 100_000_000n,
  /** Bytes that make two leases with the same terms two. */
  nonceBytes: 16,
  /** Bytes of a lease, and of a receipt, with both signatures. */
  leaseBytesMax: 384,
  receiptBytesMax: 512,
  /** Totals of one lease, steps and bytes: they stay exact numbers. */
  totalMax: 1_000_000_000_000,
  /** How far the start of an offer may lie from the lender's clock, milliseconds: clocks differ, and an old offer is over. */
  startSkewMs: 300_000,
  /** How much more time than the borrower's clock saw a receipt may name, milliseconds: a clock that is set meanwhile. */
  heldSlackMs: 5_000,
  /** Leases that are not over, of this peer with all others, count: each holds rows, and its state is in memory. */
  openMax: 256,
  /** Leases that are over and still listed, count; the oldest go first, the log keeps what they came to. */
  overKeptMax: 1_000,
} as const;
