/** Every bound of settlement on an EVM chain, with its unit and its reason. */
export const evmLimits = {
  /** Bytes of a settlement-key statement: two keys, two signatures, a time; about 330. */
  keyStatementBytesMax: 512,
  /** Bytes of a consumer's endorsement: three hashes' worth of fields, an amount, a signature; about 220. */
  endorsementBytesMax: 384,
  /** Micro-credits of one lease, as rows keep them. */
  microMax: 2n ** 64n - 1n,
  /** Wei for a micro-credit: with `microMax` of them still below the 2^128 that the contract counts in. */
  weiPerMicroMax: 2n ** 64n - 1n,
  /** Blocks something on a chain stands in before it counts, at the most: on Ethereum two and a half minutes, so that one step of a peer ends in its time. */
  confirmationsMax: 12,
  /** Seconds from now to a refund, at most: DURATION_MAX of the contract. */
  refundSecondsMax: 366 * 86_400,
} as const;

/** Times a chain may take. */
export const evmTimes = {
  /** One question to the node, milliseconds; a healthy one answers in tens. */
  requestTimeoutMs: 10_000,
  /** Until a transaction stands in a block, milliseconds: Ethereum's blocks come every 12 s, a busy chain takes a few. */
  inclusionTimeoutMs: 120_000,
  /** A further confirmation, milliseconds: a block of Ethereum. */
  blockMs: 12_000,
  /** Between two looks for it, milliseconds. */
  pollingMs: 1_000,
} as const;
