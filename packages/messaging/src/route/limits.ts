/** Every bound of routes, with its unit and its reason. */
export const routeLimits = {
  /** Links from the first peer to the last: each one more adds its round trip and a seal. */
  hopsMax: 5,
  /** One frame: the largest sealed letter, and five seals around it. */
  frameBytesMax: 1_073_152,
  channelsPerPeerMax: 8,
  /** How long a letter may be under way there and back, milliseconds; and what each hop keeps of it for its own answer. */
  timeMsMax: 30_000,
  timeMsPerHop: 1_000,
  /** Letters that a hop forwards at once, for all and for one peer: past it the peer behind waits. */
  forwardsMax: 16,
  forwardsPerPeerMax: 4,
  /** Letters and bytes that a hop forwards for one peer in a window, and the window, milliseconds. */
  lettersPerWindowMax: 120,
  bytesPerWindowMax: 16_777_216,
  windowMs: 60_000,
  /** Letters that a hop remembers as seen; past it the oldest are forgotten. A letter lives half a minute. */
  seenMax: 4_096,
  /** Paths of one answer, and bytes of that answer: each path brings a record. */
  pathsPerAnswerMax: 64,
  pathsBytesMax: 1_048_576,
  /** How long such an answer may take, milliseconds, and channels that one peer may have open here to ask for it. */
  pathsMs: 10_000,
  pathsChannelsPerPeerMax: 2,
  /** How often neighbours are asked for their paths, milliseconds, and how long what they said holds. */
  askEveryMs: 30_000,
  pathsKeptMs: 90_000,
  /** Paths to one peer that are kept, and that one attempt tries. */
  pathsPerPeerMax: 4,
  pathsTriedMax: 3,
  /** Round trip that a path is said to have at most, milliseconds: one that loses nearly all costs no more. */
  pathCostMsMax: 600_000,
  /** Weight of the newest measurement in a path's round trip and loss. */
  measureWeight: 0.25,
} as const;
