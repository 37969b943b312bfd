/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** Bytes of one entry's body: an entry is a statement with hashes, what it speaks of stays outside the log. */
  entryBodyBytesMax: 65_536,
  /** Bytes of an entry's kind. */
  entryKindBytesMax: 64,
  /** Bytes of a whole encoded entry: body, kind and 160 bytes for the other fields. */
  entryBytesMax: 65_536 + 64 + 160,
  /** Entries of one `append`. */
  appendEntriesMax: 1_024,
  /** A room's own changes that may share one `append`. */
  appendChangesMax: 1_024,
  /** Entries that share one commit and one signature: about 2 ms of work at once; a tenth fewer entries a second with 256. */
  commitEntriesMax: 512,
  /** Groups that are written at once: one on the disk, one that waits there to be next, one that is being prepared. */
  groupsUnderWayMax: 3,
  /** Entries from which on a group does not wait for the one before it: fewer gain less than a signature and a sync of their own cost. */
  groupAheadEntriesMin: 64,
  /** Appends that may wait for the disk; the next is refused, its caller slows down. */
  waitingAppendsMax: 4_096,
  /** Signatures handed to other threads at once, count: about 6 ms of one core, beside which the handing over is not seen. */
  signaturesTogether: 64,
  /** Signatures handed over and not yet checked, count: two batches for each of 8 threads, copied, about 0.4 MB. */
  signaturesAsideMax: 1_024,
  /** Hashes in one stored tile (C2SP tlog-tiles). */
  tileHashes: 256,
  /** Bytes of a signed note: three lines and 16 signatures, post-quantum ones of 5 kB included. */
  noteBytesMax: 131_072,
  /** Signature lines in one note; C2SP asks verifiers to take at least 16. */
  noteSignaturesMax: 16,
  /** Hashes on the way from a leaf to the root: the height of a tree of 2^63 leaves. */
  pathHashesMax: 64,
  /**
   * Hashes that show one tree to go on from another: RFC 6962, section 2.1.2, has at most ⌈log2 n⌉ + 1, and a size is below 2^64.
   * Also of a tree that no log can reach, so that the proof's own check is what refuses it.
   */
  consistencyHashesMax: 65,
  /** Bytes of a proof file: a note, 64 hashes, an index, and the longest entry as a line of base64. */
  proofBytesMax: 131_072 + 4_096 + 87_687,
  /** Members of one group that signs together, count: each checks all others' numbers, 32 of them in about a second. */
  groupMembersMax: 32,
  /** Commitments of one signer that wait for their session, count: each holds two secret numbers in memory, and the oldest goes first. */
  groupNoncesMax: 64,
  /** Bytes of one message of a group: the request of 32 signers with the longest proof has 7 kB, a key with all that belongs to it 4 kB. */
  groupMessageBytesMax: 16_384,
  /** Bytes that name a lease: 8 of a ticket id, up to a hash. */
  leaseBytesMax: 32,
  /** Bytes of a request id and of a model name in a receipt. */
  requestIdBytesMax: 128,
  modelNameBytesMax: 128,
  /** Tokens of one answer, prompt or answer side: above every context there is; keeps totals exact below 2^53. */
  answerTokensMax: 100_000_000,
  /** Bytes of one receipt with both signatures. */
  receiptBytesMax: 1_024,
  /** Bytes of a member's signed receipt of an update: its body has about 150, key and signature 96. */
  updateReceiptBytesMax: 512,
  /** Commitments of one run that can still be revealed, the newest: each coordinator that is lost and each start of the program makes one more in a round. */
  commitmentsLiveMax: 16,
  /** Receipts of one chain that may wait for the consumer's signature: answers at once a grant may allow (16), with room. */
  pendingReceiptsMax: 64,
  /** Finished receipts of one chain kept at hand, so that a repeated half gets the same answer. */
  keptReceiptsMax: 64,
  /** Milliseconds a consumer waits for the receipts before this one: halves of parallel answers overtake each other. */
  receiptOrderWaitMs: 5_000,
  /** Entries `list` looks through at most for one page. */
  listScanEntriesMax: 10_000,
  /** Receipts on one page of `list`. */
  listReceiptsMax: 1_000,
} as const;
