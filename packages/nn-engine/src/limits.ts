/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** Runs of one program that may wait, count: runs are serialised, more is a caller without back-pressure. */
  programQueueMax: 64,
  /** Bytes of one graph: protobuf's own ceiling is 2 GiB, and a graph of ours carries no foreign weights. */
  graphBytesMax: 536_870_912,
  /** Threads of one program, count: above the cores of a usual machine they only fight. */
  threadsMax: 64,
  /** How long a program may take to load, milliseconds. */
  loadMsMax: 60_000,
  /** Characters of a question, UTF-16 units: checked before anything is computed. */
  nanoQuestionCharsMax: 2_000,
  /** Tokens of a question; with the answer it fits the context. */
  nanoQuestionTokensMax: 96,
  /** Tokens of question and answer together: what the shipped model was trained on. */
  nanoContextTokens: 256,
  /** Texts of one embed call, count. */
  embedTextsMax: 1_024,
  /** Characters of one embedded text, UTF-16 units: 18 k short texts a second, so this stays under 10 ms. */
  embedCharsMax: 16_384,
  /** Bytes of a nano model file: what the repository ships is below it. */
  nanoFileBytesMax: 3_145_728,
  /** Elements of one delta, count: half a gigabyte of float32, as much as a graph may hold. */
  deltaElementsMax: 134_217_728,
  /** Updates of one round, count: closeness of all pairs grows with its square. */
  roundUpdatesMax: 256,
  /** Bytes of what a coordinator says of its round: 256 signed receipts and as many names. */
  newsBytesMax: 262_144,
  /** A coordinator that says nothing for so long is gone, milliseconds; three signs of life are missing then. */
  coordinatorSilentMs: 10_000,
  /** How often a coordinator gives a sign of life while nothing changes, milliseconds. */
  coordinatorSignMs: 3_000,
  /** How long a coordinator may take to fetch one update, milliseconds. */
  submitMsMax: 120_000,
  /** Runs that are over and still answered for, count: each holds one state in memory. */
  runsOverMax: 8,
  /** How long a member waits before it asks a peer that does not lead yet again, milliseconds, and how often. */
  leaderRetryMs: 1_000,
  leaderTriesMax: 10,
  /** Members of one masked sum, count: shares are points of a field with 255 of them, and each member masks against all others. */
  maskedMembersMax: 255,
} as const;
