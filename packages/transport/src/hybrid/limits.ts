/** Bounds of what keeps a link closed to those who record it, each with its unit and its reason. */
export const limits = {
  /** One exchange, from the link's first moment to both sides' keys, milliseconds: one round trip, through Tor too. */
  exchangeMs: 10_000,
  /** One message of an exchange, bytes: core-protocol's bound of a handshake message. */
  exchangeMessageBytesMax: 4_096,
  /** Exchanges answered on one link: each side begins one at most; more is a flood. */
  exchangesPerLinkMax: 4,
  /** Exchanges of one peer answered at the same time, over all its links. */
  exchangesPerPeerMax: 16,
  /** Channel numbers of one opener that are told apart below the highest; a link has at most 256 streams, which may overtake each other. */
  numbersKept: 1_024,
  /** Messages sealed under one key: AES-GCM's bound for a key is 2^32 calls (NIST SP 800-38D). */
  sealedMessagesMax: 4_294_967_296,
  /** Bytes that sealing adds to a message: the tag of both ciphers. */
  tagBytes: 16,
  /** What the opener of a sealed channel says first, bytes: the exchange's id (16) and the channel's number (8). */
  headBytes: 24,
} as const;
