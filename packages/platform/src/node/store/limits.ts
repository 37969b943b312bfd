/** Bounds of the store on a file; a tab, which has none, does not load them. */
export const storeLimits = {
  /** Commits that share one transaction at most: above it the wait for the first grows more than the throughput. */
  commitsPerTransactionMax: 256,
  /** Keys and values that wait to be written, bytes; a writer that never waits for its commits is refused, not buffered without end. */
  waitingBytesMax: 268_435_456,
  /** From so many bytes on commits cross to the writer's thread at once, bytes: crossing takes 20 µs, what a tenth of them takes to write. */
  crossingBytes: 32_768,
  /** How long a lock held by another connection is waited for, milliseconds. */
  storeBusyMsMax: 5_000,
  /** How long an agent that is just ending may hold the store before we say STORE_LOCKED, milliseconds. */
  storeLockWaitMs: 250,
  /** A file up to this size is checked page by page when it is opened; larger ones would delay the start by seconds. */
  storeCheckBytesMax: 33_554_432,
  /** The write-ahead log goes into the main file at this size, bytes: larger ones cost fewer fsyncs a commit and longer starts after a crash. */
  checkpointBytes: 33_554_432,
  /** The write-ahead log is cut back to this many bytes after a checkpoint. */
  writeAheadBytesKept: 67_108_864,
  /** Ranges longer than a page that are read at the same time: each holds a connection. */
  snapshotsMax: 64,
  /** A range nobody reads from is given up after this many milliseconds: it would keep the log from being cut. */
  snapshotIdleMsMax: 300_000,
} as const;
