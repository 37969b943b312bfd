/** Every bound of replicated state, with its unit and its reason. */
export const limits = {
  /** Documents one peer keeps, and those of one founder among them: nobody can fill the place of all others. */
  documentsMax: 64,
  documentsPerFounderMax: 16,
  /** Peers a document is shared with, its founder not counted: each change is carried to each of them. */
  membersMax: 32,
  /** A document's name, a key, and a value's JSON, UTF-8 bytes. */
  nameBytesMax: 64,
  keyBytesMax: 256,
  valueBytesMax: 65_536,
  /** Keys of one document, and characters of its text, that are written here; what others wrote is taken. */
  keysMax: 4_096,
  textCharsMax: 262_144,
  /** Bytes of one document's entries beyond which nothing more is written here. */
  documentBytesMax: 524_288,
  /**
   * Bytes of one author's entries in one document: all it may have written alone, and removals beyond. So what 33 members write while they are apart,
   * each up to the limit above, is taken everywhere when they meet.
   */
  authorBytesMax: 655_360,
  /** Bytes of all documents' entries: they are held in memory while the peer runs. */
  bytesMax: 33_554_432,
  /** One signed entry, bytes: all of one author's part of a full document; in base64url it fits a letter. */
  entryBytesMax: 655_360,
  /** Entries of our own after which they are written anew as one, without what was deleted. */
  ownEntriesMax: 64,
  /** Lives of one author in one document: starts of its agent in which it wrote. After that the last one goes on. */
  livesMax: 64,
  /** Authors of one document, those who are no longer members included. */
  authorsMax: 64,
  /** A signed charter, bytes: 32 members of 52 characters and a name. */
  charterBytesMax: 4_096,
  /** Entries, and their bytes, in one question, answer or letter. */
  batchEntriesMax: 256,
  batchBytesMax: 655_360,
  /** One frame: a batch, a vector of every life of every author (70 bytes each) and a charter. */
  frameBytesMax: 1_048_576,
  /** Questions and answers until two peers have the same, in one meeting; the rest comes with the next. */
  roundsMax: 64,
  /** One question, milliseconds. */
  exchangeMs: 10_000,
  channelsPerPeerMax: 4,
  /** Least time between two letters about one document to one peer, milliseconds: what is written meanwhile goes together. */
  letterEveryMs: 1_000,
  /** Documents given up here that are remembered, so that nobody brings them back; the oldest go first. */
  forgottenMax: 256,
} as const;
