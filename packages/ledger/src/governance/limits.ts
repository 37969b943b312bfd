/** Every bound of what a group decides, with its unit and its reason. */
export const governanceLimits = {
  /** Proposals that are open at once, count: each keeps its votes in everybody's memory. */
  openProposalsMax: 64,
  /** Proposals of one member that are open at once, count: nobody alone fills the group's places. */
  openOfOneMax: 8,
  /** Characters (UTF-16 units) of a checkpoint's name, a proposal's title, a reason, and of a proposal's text; three bytes each fit one entry. */
  nameCharsMax: 64,
  titleCharsMax: 120,
  reasonCharsMax: 280,
  textCharsMax: 4_000,
  /** How long a vote may be open, milliseconds: a second, and ninety days. */
  openMsMin: 1_000,
  openMsMax: 90 * 86_400_000,
  /** Peers on the blacklist, relays on the list, checkpoints and decisions at hand, count; the chain keeps all of the last two. */
  blacklistMax: 1_024,
  relaysMax: 16,
  checkpointsKept: 64,
  decisionsKept: 1_000,
  /** Peers that hold points, count. */
  holdersMax: 4_096,
  /** Rewards that are remembered as paid, newest last, count: who pays an older one again loses its own points. */
  rewardsKept: 4_096,
  /** Micro-points of one proposal, and of all of them: a 64-bit number holds every sum. */
  pointsMicroMax: 1_000_000_000_000_000n,
  pointsTotalMicroMax: 1_000_000_000_000_000_000n,
  /** Characters of a relay's address, as the node's settings take them. */
  addressCharsMax: 512,
  /** Attempts at one epoch's key for signing heads, count: a member that spoils each is named in each, and is to be removed. */
  headKeyAttemptsMax: 16,
  /** Keys of epochs before, at hand, count; the chain has all. */
  headKeysKept: 16,
  /** Heads of logs in one entry, count: one of each member; an entry's bytes may take fewer. */
  logHeadsTogether: 32,
  /** Entries of a log, count: places are signed 64-bit numbers, as in the notes. */
  logEntriesMax: 2n ** 63n - 1n,
  /** Logs whose newest head is at hand, count: those of 32 members, and of who was one before. */
  logHeadsKept: 256,
  /** Lies about logs at hand, count: three kinds of each of 32 members. */
  logHeadFaultsKept: 96,
  /** Bytes of a file that proves an entry by a group's chain: some 30,000 blocks of 2 kB, which a reader holds in memory. */
  entryProofBytesMax: 67_108_864,
  /** Random bytes that make two ballots two. */
  ballotTokenBytes: 32,
  /** RSA modulus of ballots, bits: a key lives as long as one vote, and a browser makes one in a second. */
  ballotKeyBits: 2_048,
  /** Bytes of a blinded ballot and of a signature on one: those of the modulus. Of the key as SubjectPublicKeyInfo at the most. */
  ballotSignatureBytes: 256,
  ballotKeyBytesMax: 512,
} as const;
