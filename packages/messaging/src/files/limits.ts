/** Every bound of files between peers, with its unit and its reason. */
export const fileLimits = {
  /** One file, bytes: 50 MiB, what the first services put together from chunks. Its pieces fit the HTTP face's burst of chunks, so one file goes without a wait. */
  fileBytesMax: 52_428_800,
  /** One piece, bytes: four on their way fill a link's window of 1 MiB. */
  pieceBytes: 262_144,
  /** Pieces of the longest file; as many may be named as missing. */
  piecesMax: 200,
  /** Pieces after which a receiver commits what it has: a crash costs at most so many again, and each commit waits for the disk. */
  piecesPerCommit: 4,
  /** Pieces on their way at once over a link; by HTTP one, because sessions want their frames in order. */
  windowPieces: 4,
  /** A file's name as its sender says it, UTF-8 bytes: what file systems take. */
  nameBytesMax: 255,
  /** The same as it is kept here, behind the first figures of its id, UTF-8 bytes. */
  keptNameBytesMax: 200,
  /** Files of one peer that are kept here or on their way, bytes: ten of the longest. */
  peerBytesMax: 524_288_000,
  /** Files of all peers together, bytes: 2 GiB, and how many. */
  totalBytesMax: 2_147_483_648,
  filesMax: 1_000,
  /** Unfinished files of one peer; a sender of ours brings one after the other. */
  openPerPeerMax: 8,
  /** Files of ours that wait for their receivers: how many, and bytes. */
  sendingMax: 64,
  sendingBytesMax: 524_288_000,
  /** How long a file waits for its receiver, and an unfinished one for its next piece, milliseconds: 72 hours, as messages do. */
  lifeMs: 259_200_000,
  /** What is over is remembered so long, milliseconds: 14 days, longer than any sender tries; and at most so many of each direction. */
  rememberMs: 1_209_600_000,
  rememberedMax: 1_000,
  /** How long one question may take, milliseconds. */
  questionMs: 30_000,
  /** Offers of one file in one attempt: after each, what is missing is sent. */
  roundsMax: 8,
  /** Channels one peer may have open here: the window, an offer and a cancellation beside it. */
  channelsPerPeerMax: 8,
} as const;
