/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** Bytes of one frame of the delivery protocol: a message of core-protocol's 1 MiB and what the frame adds. */
  frameBytesMax: 1_048_576 + 1_024,
  /** Messages that may wait for one peer; the next `send` is refused, nothing waiting is dropped. */
  outboxMessagesPerPeerMax: 1_000,
  /** Bytes of payloads that may wait for one peer. */
  outboxBytesPerPeerMax: 67_108_864,
  /** Letters to one peer that may overtake in a row; then one goes that was overtaken, of each lower priority in turn. */
  overtakesMax: 3,
  /** Peers that messages may wait for. */
  outboxPeersMax: 256,
  /** How long a message waits unless its sender says otherwise, milliseconds: 72 hours, a long weekend. */
  lifeMsDefault: 259_200_000,
  /** The longest it may wait, milliseconds: 14 days. The receiver remembers what it handled for as long. */
  lifeMsMax: 1_209_600_000,
  /** Outcomes that are remembered for `status`; the oldest go first. */
  outcomesMax: 10_000,
  /** First wait before a message is tried again, and the longest, milliseconds. Each is doubled from the one before, ± 20 %. */
  retryMsMin: 1_000,
  retryMsMax: 60_000,
  /** Share by which a wait is longer or shorter, so that peers do not knock all at once. */
  retryJitter: 0.2,
  /** How long a handler may take, milliseconds; then the message is tried again later. */
  handlerMsMax: 30_000,
  /** How long one attempt may take, milliseconds: a handler's time and the way. */
  attemptMsMax: 40_000,
  /** How long after its beginning a frame's next letter is still begun, milliseconds: its handler's time fits into the attempt. */
  frameBeginMsMax: 8_000,
  /** Handled letters of one sender that are remembered at once; a sender past it is told to come back later. */
  inboxMarksPerPeerMax: 10_000,
  /** Marks of expired letters that one sweep removes, and the least time between two sweeps, milliseconds. */
  sweepMarksMax: 1_000,
  sweepMsMin: 60_000,
  /** Milliseconds that a mark outlives its letter: our wall clock may be set back a little. */
  sweepMarginMs: 86_400_000,
  /** Delivery channels one peer may have open here. */
  channelsPerPeerMax: 4,
} as const;
