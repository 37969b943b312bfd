/** Every bound of the running market, with its unit and its reason; apart from the package's others, which a guest's page loads. */
export const peerMarketLimits = {
  /** Offers of one peer, count: as many as models people have at hand, with room. */
  offersMax: 64,
  /** One message of `/peerai/market/1`, bytes: 64 offers of at most 200, or two documents of 512. */
  messageBytesMax: 16_384,
  /** How long one question of it may take, milliseconds: a signature and a commit. */
  callMs: 10_000,
  /** How often it is looked whether a lease's time is over, milliseconds. */
  lookMs: 1_000,
  /** How long both sides wait for each other's last word before an escrow is given back, milliseconds. */
  graceMs: 60_000,
  /** How long after a lease's end the other side is still asked for its signature when it comes, milliseconds: a day. */
  lastWordsMs: 86_400_000,
  /** Receipts that evidence holds at most, newest first: they are cumulative, so the last one says it all, and those before show how it came to be. */
  evidenceReceiptsMax: 16,
  /** Leases whose first provably wrong receipt is kept, count: half a kilobyte each. */
  refusedKept: 64,
  /** Characters of the reason of a dispute. */
  reasonCharsMax: 500,
} as const;
