/** Every bound of logs between peers, with its unit and its reason; apart from the package's others, which a guest's page loads. */
export const booksLimits = {
  /** Bytes of one message: a range of 256 KiB of entries with a checkpoint and a path, or the largest single entry with its receipts. */
  messageBytesMax: 524_288,
  /** Milliseconds for one question to another peer about logs. */
  callMs: 15_000,
  /** Heads of other logs told at once, count: as many as copies are kept. */
  headsMax: 64,
  /** Pieces of evidence told at once, count; each is below 1 kB, and one for each offender. */
  evidenceMax: 16,
  /** Offenders remembered, count: one proof each. */
  offendersMax: 1_024,
  /** Ranges fetched from one peer in one exchange, count: 2,048 entries, the rest at the next one. */
  rangesAtOnce: 8,
  /** Logs of third peers compared with one peer in one exchange, count: one question each. */
  comparesAtOnce: 16,
  /** Milliseconds that appends wait at a device's first hello for what it has of our log: one question; who does not answer is not waited for. */
  lookMs: 2_000,
  /** Milliseconds between two exchanges with one peer: a hello may come often. */
  exchangeEveryMs: 10_000,
  /** Milliseconds after which a log that grew is shown to the devices that are here. */
  refreshEveryMs: 60_000,
  /** Milliseconds between two statements that this peer stands for a log's head, and entries after which it does so without knowing what they are. */
  checkpointStatedEveryMs: 3_600_000,
  checkpointGrowthMin: 16,
  /** Proofs of forks taken from gossip: at once, and a minute. Each costs two signatures to check. */
  gossip: { burst: 8, perMinute: 30 },
} as const;
