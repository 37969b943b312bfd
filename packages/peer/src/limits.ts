/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** Events kept for a reader that comes back with `Last-Event-ID`, and queued for one that reads slowly. */
  eventsKeptMax: 1_000,
  /** Devices one peer is paired with. */
  devicesMax: 256,
  /** Invites that wait at once; each lives ten minutes. */
  invitesOpenMax: 16,
  /** Pairings that wait for a person at once: a screen has room for few. */
  pairingsWaitingMax: 8,
  /** How long both screens wait for "They match", milliseconds. */
  pairingWaitMs: 600_000,
  /** Live and stopped shares kept in the list; the oldest ended one goes first. */
  sharesMax: 200,
  /** Bytes of a device's or peer's name. */
  nameBytesMax: 64,
  /** Received messages kept to read. */
  inboxMessagesMax: 1_000,
  /** First and last wait before a paired device is tried again, milliseconds. */
  redialMsMin: 2_000,
  redialMsMax: 60_000,
  /** How old a remote model list may be before it is asked again, milliseconds. */
  modelListMsMax: 30_000,
  /** How long one question to another peer about itself may take, milliseconds. */
  questionMs: 10_000,
  /** Life of a share, milliseconds: at least a minute, at most 30 days. */
  shareLifeMsMin: 60_000,
  shareLifeMsMax: 2_592_000_000,
  shareTokensMax: 1_000_000_000,
  /** How long a new request waits for the signature of the last answer, milliseconds. */
  signatureGraceMs: 1_000,
  /** How long sending a message waits to say "delivered" instead of "queued", milliseconds. */
  deliveredWaitMs: 2_000,
  /** How often the engines are asked for their models, milliseconds. */
  engineListEveryMs: 30_000,
  /** How long a question is remembered whose receipt never came, milliseconds: 24 hours. */
  askedKeptMs: 86_400_000,
  /** Remote answers that wait for their receipt's second signature, milliseconds. */
  countersignMs: 5_000,
} as const;
