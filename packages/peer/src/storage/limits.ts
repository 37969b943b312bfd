/** Every bound of leased storage, with its unit and its reason. What one lease holds at most is `marketLimits.storedBytesMax`. */
export const storageLimits = {
  /** Bytes of a file that are sealed together: one message, and one proof reads so much of the disk at the most for each of its leaves. */
  chunkBytes: 262_144,
  /** What sealing adds, bytes: the tag of AES-256-GCM. No chunk is shorter. */
  sealBytes: 16,
  /** One message of `/peerai/storage/1`, bytes: a chunk with its name; all leaves of a proof are less. */
  messageBytesMax: 294_912,
  /** Leaves of one proof, count: each of 16 ranges of 64 bytes touches 5 of the shortest chunks at the most. */
  leavesMax: 80,
  /** How long one question of it may take, milliseconds: a chunk on a slow line and a write to the disk. */
  callMs: 30_000,
  /** One stored file, bytes: 4,096 chunks, whose names are one list in memory. */
  fileBytesMax: 1_073_741_824,
  /** Files this peer has at others, count. */
  filesMax: 4_096,
  /** Characters of a file's name. */
  nameCharsMax: 255,
  /** What an owner may offer in all, bytes: 16 TiB. */
  offeredBytesMax: 17_592_186_044_416,
  /** How often a lender shows that it still holds all, milliseconds: ten minutes cost some 20 kB and a hundred reads an hour. */
  proveEveryMs: 600_000,
  /** The most time one proof pays for, milliseconds: who was away for longer is not paid for the rest. */
  proofGapMs: 1_800_000,
  /** Proofs in a row that may fail before the borrower ends the lease, count: a disk may be slow once. */
  failuresMax: 3,
  /** How long a lender keeps what was stored after a lease's end, milliseconds: a day to fetch it. */
  keptMs: 86_400_000,
  /** Leases whose first provably false answer is kept, count: 46 kB each. */
  falseAnswersKept: 64,
  /** How often it is looked whether a proof or an end is due, milliseconds. */
  lookMs: 30_000,
} as const;
