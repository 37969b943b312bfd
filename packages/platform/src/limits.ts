/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** Commits that share one transaction at most: above it the wait for the first grows more than the throughput. */
  commitsPerTransactionMax: 256,
  /** Keys and values that wait to be written, bytes; a writer that never waits for its commits is refused, not buffered without end. */
  waitingBytesMax: 268_435_456,
  /** From so many bytes on commits cross to the writer's thread at once, bytes: crossing takes 20 µs, what a tenth of them takes to write. */
  crossingBytes: 32_768,
  /** Names of nested rooms together, UTF-8 bytes. */
  roomPathBytesMax: 4_096,
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
  /** One page of a range read: rows and bytes, whichever comes first (one value may be larger). */
  pageRowsMax: 128,
  pageBytesMax: 1_048_576,
  /** Ranges longer than a page that are read at the same time: each holds a connection. */
  snapshotsMax: 64,
  /** A range nobody reads from is given up after this many milliseconds: it would keep the log from being cut. */
  snapshotIdleMsMax: 300_000,
  /** One file with a key, bytes: a seed, a salt and their names. */
  keyFileBytesMax: 4_096,
  /** scrypt cost, the exponent of N: what we write (128 MiB, about 0.4 s), and what a file may ask of us. */
  scryptCostLog2: 17,
  scryptCostLog2Max: 20,
  /** UTF-8 bytes of a passphrase. */
  passphraseBytesMax: 1_024,
  /** One configuration file, bytes. */
  configBytesMax: 262_144,
  /** Files kept beside a rotated log at most. */
  logFilesKeptMax: 100,
  /** A text inside a log line, UTF-16 units; longer ones are cut. */
  logTextUnitsMax: 2_048,
  /** How deep and how wide a log line's fields may be. */
  logDepthMax: 6,
  logEntriesMax: 64,
  /** `setTimeout` fires at once above this many milliseconds (2^31 - 1); longer waits are made of several. */
  timerMsMax: 2_147_483_647,
  /** `crypto.getRandomValues` gives at most this many bytes a call. */
  randomChunkBytesMax: 65_536,
} as const;
