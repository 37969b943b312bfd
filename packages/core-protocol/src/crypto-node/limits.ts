/** Every bound of Node's primitives, with its unit and its reason. */
export const nodeCryptoLimits = {
  /** Keys of each kind kept imported; a KeyObject holds about 1 KiB. */
  keysMax: 1_024,
  /** Up to so many bytes parts are copied together and hashed by one call: making a Hash object costs more than copying so many. */
  joinedBytesMax: 4_096,
  /** Reading and decoding a receipt takes a sixth to a seventh of its signatures: one thread keeps no more than this busy. */
  threadsMax: 8,
  /** Threads without work end after this many milliseconds: each holds some MiB, and starting one takes longer than a batch. */
  threadIdleMsMax: 10_000,
  /** Fewer signatures at once are checked in the calling thread while none runs, count. */
  startAtSignatures: 32,
} as const;
