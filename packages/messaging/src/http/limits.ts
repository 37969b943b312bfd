/** Every bound of the HTTP face, with its unit and its reason. */
export const httpLimits = {
  /** One request's body, bytes: core-protocol's message and room for the base64 of a shared-secret envelope. */
  bodyBytesMax: 1_048_576 + 65_536,
  /** One answer's body that a sender reads, bytes: an answer is a short object. */
  answerBytesMax: 65_536,
  /** Identities whose buckets are remembered; the one heard of longest ago goes first, and by then its buckets are full again. */
  bucketOwnersMax: 10_000,
  /** Connections to one peer. */
  connectionsPerPeerMax: 10,
  /** How long a connection may be idle before it is closed, milliseconds. */
  idleMsMax: 30_000,
  /** How long connecting, and a whole request, may take, milliseconds. */
  connectMsMax: 5_000,
  requestMsMax: 30_000,
  /** Failures in a row that open a breaker, how long it stays open, milliseconds, and trial calls after that. */
  breakerFailuresMax: 5,
  breakerOpenMs: 30_000,
  breakerTrialsMax: 3,
  /** Older peers that the owner named, and those that are remembered besides: believed on first use, or written to. */
  contactsNamedMax: 256,
  contactsRememberedMax: 1_000,
  /** Names of others whose messages were let in, kept in memory. */
  contactsMetMax: 1_000,
  /** Names and ids in a shared-secret envelope, characters. */
  envelopeNameCharsMax: 256,
  /** Such envelopes carry no proven time, so they are remembered as long as any message, milliseconds: 14 days. */
  envelopeLifeMs: 1_209_600_000,
  /** How long after its time a message of another profile may be brought again, milliseconds; then its clock refuses it. */
  oldFormLifeMs: 300_000,
  /** Base URL of a peer, characters. */
  urlCharsMax: 512,
  /** Peers that are counted for /stats; the one heard of longest ago goes first. */
  countedPeersMax: 1_000,
  /** Peers in one answer to a discovery message, each with a record of at most 8 KiB, and capabilities of one question that are looked for. */
  discoveryPeersMax: 8,
  discoveryNamesMax: 4,
  /** How often peers are asked how they are unless the owner says otherwise, milliseconds, and heartbeats without a word after which one is not healthy. */
  heartbeatMs: 30_000,
  heartbeatMissesMax: 3,
} as const;
