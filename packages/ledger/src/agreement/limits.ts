/** Every bound of agreement and of a group's chain, with its unit and its reason. */
export const agreementLimits = {
  /** Members of one epoch, count: every member sends each vote to all others, and a certificate of 32 has about 1.5 kB. */
  membersMax: 32,
  /** Peers that ever were members, count: how many entries each has is known at each block; a change that would pass it is refused. */
  everMembersMax: 4_096,
  /** Bytes of a group's name. */
  groupNameBytesMax: 64,
  /** Random bytes that make two groups with the same name and members two. */
  nonceBytes: 16,
  /** Bytes of an entry's kind. */
  entryKindBytesMax: 64,
  /** Bytes of an entry's body: larger things stay outside, their hash goes in. */
  entryBodyBytesMax: 16_384,
  /** Bytes of a whole entry: body, kind and 160 for author, number and signature. */
  entryBytesMax: 16_384 + 64 + 160,
  /** Entries of one block, count. */
  blockEntriesMax: 256,
  /** Bytes of one block's entries together: what a link may have to carry to each member in one message. */
  blockEntriesBytesMax: 131_072,
  /** Bytes of one block with its certificate: entries, 4 for each one's length and 4 kB for the header and 32 signatures. */
  blockBytesMax: 131_072 + 256 * 4 + 4_096,
  /** Entries of one author that wait for a block, count, at each member; the next is refused here and dropped from others. */
  pendingPerAuthorMax: 64,
  /** Views of one height, count. Each ends by a quorum's word, the later ones after a minute: most of a day of leaders that all fail; then a member stands still. */
  viewsMax: 1_024,
  /** Views ahead of its own of which a member keeps votes, count: more is asked for again. */
  viewsAheadMax: 8,
  /** Views behind its own of which a member keeps single votes, count; certificates are kept for all. */
  viewsBehindMax: 8,
  /** Messages of one member for the next height that wait for the end of this one, count; newer ones are dropped and sent again. */
  earlyMessagesMax: 16,
  /** Certificates in one message, count: 16 of 32 members are 35 kB. */
  certificatesPerMessageMax: 16,
  /** Statements beside a proposal in one message, count: of all members of the largest epoch, one of each kind. */
  votesPerMessageMax: 96,
  /** Entries of one author that a member hands on at one height, count: as many as may wait, twice, since an author that crashed signs anew. It bounds what an author that signs the same place again and again makes others send. */
  carriedPerAuthorMax: 128,
  /** Times that a member may say nothing where it would have, count, until it counts as not heard: links lose a message now and then. */
  missedTalks: 4,
  /** Blocks in one answer, count and bytes. */
  blocksPerMessageMax: 64,
  blocksBytesMax: 262_144,
  /** Peers that the chain so far does not name and that were asked for blocks, count: of the largest epoch all. Asking one more forgets the one asked first, and each is asked again after `answerMs` at the soonest. */
  unknownAskedMax: 32,
  /** Bytes of one message. */
  messageBytesMax: 262_144 + 64 * 8 + 64,
  /** Messages from members that wait to be read, count; further ones are dropped, their senders send again. */
  inboxMessagesMax: 1_024,
  /** Proven lies kept, count, one of each kind for each member: one is enough to remove it. Further ones are passed over. */
  evidenceKeptMax: 256,
  /** Bytes of one proven lie: two signed statements. */
  evidenceBytesMax: 1_024,
  /** Bytes of a file of them: all that are kept, each at its longest with three bytes for its place, and the version. */
  evidenceFileBytesMax: 256 * (1_024 + 3) + 2,
  /** How soon a member answers the same one again about the same height, milliseconds. */
  answerMs: 100,
  /** How long the first view of a height waits for its decision, milliseconds: six hops of 250 ms and their disks. */
  viewTimeoutMs: 2_000,
  /** The longest a view waits, milliseconds; each view of a height waits half as long again as the one before. */
  viewTimeoutMsMax: 60_000,
  /** How often a member says again what it said in its view, milliseconds: links lose messages. */
  resendMs: 500,
  /** How often a member with nothing to decide says where it stands, milliseconds: this is how a late one learns of a block. */
  idleMs: 15_000,
} as const;
