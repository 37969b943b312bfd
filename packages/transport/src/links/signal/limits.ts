/** Every bound of meeting by a relay's signalling, with its unit and its reason. Not beside the others: pages that do without pay no bytes for it. */
export const limits = {
  /** One message of the relay, UTF-16 units: 256 devices with 16 KiB each. */
  messageCharsMax: 4_194_304,
  /** Devices that are remembered, those that left among them, count; the one heard of longest ago goes first. */
  devicesMax: 1_024,
  /** A device's name and each of its words, characters, and its words of a kind, count; as the relay has it. */
  wordCharsMax: 128,
  wordsMax: 64,
  /** A relay that does not open, challenge and register within this, milliseconds, is none. */
  joinMs: 10_000,
  /** How long an answer to one question may take, milliseconds. */
  answerMs: 5_000,
  /** A sign of life this often, milliseconds: the relay takes a device for gone after 60 s. */
  heartbeatMs: 20_000,
  /** How long candidates are gathered, milliseconds; what is not found then is left out. Without STUN servers it takes 0.1 s. */
  gatherMs: 2_000,
  /** From an offer to its answer, and from that to an open channel, milliseconds; the first crosses the relay twice. */
  offerMs: 8_000,
  connectMs: 8_000,
  /** Offers answered at the same time; more are left unanswered. */
  answersMax: 8,
  /** Candidates of one description that are used: addresses of one machine. */
  candidatesMax: 32,
} as const;
