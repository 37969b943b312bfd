/** Every bound of sessions over HTTP, with its unit and its reason; core-protocol's `sessionLimits` hold inside each. */
export const sessionRoomLimits = {
  /** Sessions others opened here: each has two keys of 32 bytes and a window of 128. The oldest goes when one more comes. */
  openMax: 1_024,
  /** Of one peer: one in use, one that replaces it, and a second program under the same key. */
  openPerPeerMax: 4,
  /** Handshakes that wait for a next step, at most 60 s each; about 8 KiB with their ML-KEM keys. The oldest goes first. */
  halfOpenMax: 256,
  halfOpenPerPeerMax: 4,
  /** Sessions of ours to others, one a peer; as many as peers that letters may wait for. */
  dialedMax: 256,
  /** How often it is looked for what is over, milliseconds: a challenge lives as long. */
  sweepMs: 60_000,
  /** Attempts with one letter until the session is taken for broken: the first, and one over a new session. */
  carryTriesMax: 2,
} as const;
