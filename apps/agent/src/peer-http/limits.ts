/** Bounds of the sockets of the peer protocol over HTTP, with unit and reason. */
export const socketLimits = {
  /** A request's headers, bytes: peers send few. */
  headerBytesMax: 16_384,
  /** How long headers, and a whole request, may take to come, milliseconds: 1 MiB at 0.1 MiB a second. */
  headersMsMax: 5_000,
  requestMsMax: 10_000,
  /** How often it is looked whether one took too long, milliseconds. */
  lookMs: 500,
  /** How long an idle connection is kept, milliseconds: longer than senders keep theirs, so that they are the ones who close. */
  idleMsMax: 35_000,
  /** Open connections: with a body each they hold 280 MiB at most. */
  connectionsMax: 256,
  /** Of these, from one address: half, so that one machine cannot take all places, and a reverse proxy still has enough. */
  connectionsPerAddressMax: 128,
  /** How long one message may take to be handled, milliseconds: a handler has 30 s. Then the answer is 504. */
  answerMsMax: 40_000,
  /** How long a connection lives on after its body was refused, so that the refusal is read, milliseconds. */
  refusedMsMax: 1_000,
  /** Connections of a sender to all peers together, over HTTP and over HTTPS each. */
  sendingConnectionsMax: 256,
} as const;
