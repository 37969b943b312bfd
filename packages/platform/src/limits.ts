/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** Names of nested rooms together, UTF-8 bytes. */
  roomPathBytesMax: 4_096,
  /** One page of a range read: rows and bytes, whichever comes first (one value may be larger). */
  pageRowsMax: 128,
  pageBytesMax: 1_048_576,
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
