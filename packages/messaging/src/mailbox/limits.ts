/** Every bound of mailboxes, with its unit and its reason. */
export const mailboxLimits = {
  /** Peers that one relay keeps letters for. */
  registrationsMax: 1_024,
  /** How long a relay keeps a registration of a peer that does not look for its letters, milliseconds: 30 days. */
  registrationLifeMs: 2_592_000_000,
  /** How long a letter lies at a relay, milliseconds: 72 hours. Its sender keeps it for as long as it lives. */
  keptMs: 259_200_000,
  /** Letters and bytes that lie for one peer. */
  lettersPerPeerMax: 256,
  bytesPerPeerMax: 8_388_608,
  /** Part of them that senders may fill who have no mailbox at this relay themselves. */
  strangersLettersPerPeerMax: 64,
  strangersBytesPerPeerMax: 2_097_152,
  /** Bytes of all letters at one relay, unless its owner says otherwise. */
  totalBytesMax: 268_435_456,
  /** Letters one sender may leave in a window, for all peers together, and the window, milliseconds. */
  depositsPerWindowMax: 300,
  depositWindowMs: 60_000,
  /** Senders whose letters are counted at once; past it the window starts anew for all. */
  sendersCountedMax: 4_096,
  /** Least time between two looks for letters that are too old, milliseconds. */
  sweepMsMin: 60_000,
  /** One frame: the largest sealed letter and what the frame adds. */
  frameBytesMax: 1_064_960,
  channelsPerPeerMax: 4,
  /** How long one question to a mailbox may take, milliseconds. */
  questionMsMax: 30_000,
  /** How long two peers' giving each other their records may take, milliseconds, and channels that one of them may have open for it. */
  recordMsMax: 10_000,
  recordChannelsPerPeerMax: 2,
  /** Letters whose removal one question may ask for. */
  donePerQuestionMax: 256,
  /** How often a peer that is connected looks into its mailbox, milliseconds; it also looks as soon as it is connected. */
  lookEveryMs: 30_000,
  /** How long the last look into the mailbox of a relay that is ours no more may take, milliseconds. */
  lastLookMs: 10_000,
  /** Refused letters that are remembered, so that those behind them are taken. */
  refusedKeptMax: 10_000,
  /** Records of other peers that are kept. */
  recordsKeptMax: 1_024,
} as const;
