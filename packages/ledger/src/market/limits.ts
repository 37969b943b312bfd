/** Every bound of the market, with its unit and its reason. What one peer may owe another is `leaseLimits.exposureMicroMax`, of all leases together. */
export const marketLimits = {
  /** Bytes of a metered lease, of a storage receipt and of a lease's end, with both signatures. */
  documentBytesMax: 512,
  /** Bytes of what a lease is about: a model's name, as in a usage receipt. */
  subjectBytesMax: 128,
  /** Price of 1,000 tokens, or of a MiB for an hour, micro-credits: a thousand credits. */
  unitMicroMax: 1_000_000_000n,
  /** Tokens of one lease of a model, prompts and answers together. */
  tokensMax: 100_000_000,
  /** Bytes that one lease of storage holds: 16 GiB. */
  storedBytesMax: 17_179_869_184,
  /** Length of one lease, minutes: 30 days; who needs longer leases again. */
  minutesMax: 43_200,
  /** Ranges one challenge of stored bytes asks for, count, and bytes of each: read in a millisecond. Of a peer that lost 1 %, 15 of 100 challenges tell, and three of four times one of nine. */
  challengeRanges: 16,
  challengeRangeBytes: 64,
  /** Bytes of one leaf of a stored chunk's tree: a challenge shows sixteen, and a proof of each. */
  storageLeafBytes: 1_024,
  /** Leaves of one answer to a challenge, count, and hashes of one leaf's path: as many as `/peerai/storage/1` carries. */
  shownLeavesMax: 80,
  shownPathMax: 32,
  /** Bytes of a false answer with its leaves, so that it fits an evidence file in base64: 16 ranges touch 32 leaves of 1 KiB at the most. */
  falseAnswerBytesMax: 46_080,
  /** Bytes of a group's name for its points, and of one signed move of points. */
  groupBytesMax: 64,
  pointsBytesMax: 384,
  /** Points of one issue or transfer, micro-points: sums of 2^32 of them stay below 2^96, and BigInt holds them. */
  pointsMicroMax: 1_000_000_000_000_000n,
  /** Documents one replay reads, repeated ones included, count: checking their signatures takes some ten seconds on one core. */
  replayDocumentsMax: 65_536,
  /** Bytes of an evidence file: a lease, its end, and its newest receipts of both sides. */
  evidenceBytesMax: 65_536,
} as const;
