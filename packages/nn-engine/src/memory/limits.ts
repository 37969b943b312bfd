/** Every bound of the memory, with its unit and its reason. */
export const memoryLimits = {
  /** What one capsule carries, unpacked, bytes: a long page of text; larger things are files and have a folder. */
  capsuleDataBytesMax: 262_144,
  /** One signed capsule as it travels, bytes: the data, a vector of the largest size, summary, tags and relations. */
  capsuleBytesMax: 294_912,
  /** A summary, UTF-8 bytes: it is held in memory and shown in lists. */
  capsuleSummaryBytesMax: 1_024,
  /** Tags of one capsule, count, and UTF-8 bytes of one. */
  capsuleTagsMax: 16,
  capsuleTagBytesMax: 64,
  /** Relations of one capsule, count: what a merged one replaced is among them. */
  capsuleRelationsMax: 64,
  /** A media type, UTF-8 bytes. */
  mediaTypeBytesMax: 128,
  /** An embedder's name, UTF-8 bytes, and its dimensions, count: the widest in use have 4,096. */
  embedderNameBytesMax: 128,
  embeddingDimensionsMax: 4_096,
  /** Characters of a text or query that are embedded, UTF-16 units; what is behind them is kept and not searched. */
  embeddedCharsMax: 16_384,
  /**
   * Vectors that were made here beside the capsules' own, bytes: about 87,000 of 768 numbers. What is above it is found by its own vector alone, as long as the
   * embedder that made it is there.
   */
  localVectorBytesMax: 268_435_456,
  /** Texts that are embedded again at once, count: an engine answers them in a second or two, and a question in between waits no longer. */
  embedAgainTexts: 16,
  /** How far a foreign capsule's time may lie ahead of our clock, milliseconds. */
  createdAheadMsMax: 60_000,
  /** Capsules of one memory, count: each holds its vector and summary in memory, 2 to 3 KiB. */
  capsulesMax: 100_000,
  /** Sealed capsules of one memory, bytes: all of them are read when it opens. */
  bytesMax: 536_870_912,
  /** The part of both that capsules of other peers may have: they cannot crowd out one's own. */
  foreignShareMax: 0.5,
  /** Signed capsules of one `take`, count: each costs a signature check. */
  takeCapsulesMax: 256,
  /** An author's signed word to forget, bytes: key, signature, id and time are about 160. */
  forgetBytesMax: 256,
  /** Tombstones kept, count; above it the oldest goes, and a copy of what it stood for could come back. */
  tombstonesMax: 100_000,
  /** Cards of one page of a list, and hits of one search, count. */
  listCapsulesMax: 500,
  searchHitsMax: 100,
  /** Consolidation: a capsule that is here for so long, milliseconds (30 days), and was used fewer times, goes. */
  expireAfterMs: 2_592_000_000,
  keepUsesMin: 3,
  /** Consolidation: vectors with at least this cosine are near-equal, and their capsules become one. */
  mergeCosineMin: 0.97,
  /** How long a consolidation can be undone, milliseconds (7 days); what it took away is on the disk until then. */
  undoMs: 604_800_000,
  /** The part of the memory's bytes that taken-away rows may have beside it; above it the oldest go early. */
  undoShareMax: 0.25,
  /** Capsules that one commit of a consolidation expires, count: a commit stays some megabytes. */
  expireStepCapsules: 64,
  /** Pairs a consolidation compares before others have a turn, count: about 5 ms. */
  pairsPerTurn: 50_000,
  /** Rows of one embedder above which an index is used, count: below it looking at every row takes under 20 ms. */
  indexAboveRows: 20_000,
  /** Rows an index takes in before others have a turn, count: about 3 ms. */
  indexStepRows: 16,
  /** Rows that may wait for the index while it is used, count; they are looked at one by one. */
  indexWaitingRowsMax: 5_000,
  /** Nearest rows an index is asked for at most, count, the spare ones aside; a question they do not answer for certain looks at every row. */
  indexAskedRowsMax: 1_024,
  /** Rows an index is asked for beyond those that are wanted, count: it rounds, so one that it puts a few places too far back is still looked at. */
  indexSpareRows: 8,
  /** Counts of uses are written so long after a search, milliseconds: many searches share one write. */
  usesDelayMs: 1_000,
  /** Finds that wait to be counted on disk, each by itself, count; above it each capsule waits once. */
  usesWaitingMax: 65_536,
  /** Embedders that a search names as left out, count: capsules of others may bring any number of names. */
  leftOutNamedMax: 8,
} as const;
