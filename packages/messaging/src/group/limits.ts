/** Every bound of groups, with its unit and its reason. */
export const limits = {
  /** Groups one peer is in: each keeps its secrets, tens of KiB, on disk and at hand. */
  groupsMax: 64,
  /** Members of one group, oneself included: a message is carried to each of them by its sender. */
  membersMax: 32,
  /** A group's name, UTF-8 bytes. */
  nameBytesMax: 64,
  /** A message's kind, UTF-8 bytes, and its JSON: sealed and in base64url it fits one letter with room to spare. */
  kindBytesMax: 64,
  messageBytesMax: 262_144,
  /** One MLS message as it comes: a message of the limit, or a welcome into a full group. */
  mlsBytesMax: 393_216,
  /** Past epochs whose messages can still be read: so many changes may overtake a message. */
  epochsKept: 8,
  /** Keys of skipped messages that are kept for one sender, and how far ahead a sender may have got. */
  keysKept: 16,
  ratchetStepsMax: 1_000,
  /** Letters of one sender, and their bytes, that wait for a change of the group which is still on its way. */
  parkedPerSenderMax: 64,
  parkedBytesPerSenderMax: 4_194_304,
  /** How long they wait, milliseconds: as long as any letter lives. */
  parkedMsMax: 1_209_600_000,
  /** Key packages handed to one peer that it has not used; the oldest are forgotten. */
  keyPackagesPerPeerMax: 8,
  /** Bytes of one key package as it comes. */
  keyPackageBytesMax: 4_096,
  /** Sent messages whose way to each member is remembered. */
  reportsKept: 500,
  /** How long asking a peer for its key package may take, milliseconds. */
  keyPackageMs: 10_000,
  /** Channels that one peer may have open here to ask for it. */
  channelsPerPeerMax: 4,
  /** First and last wait before letters that the disk did not take are handed over again, milliseconds; each is twice the one before. */
  againMsMin: 1_000,
  againMsMax: 60_000,
} as const;
