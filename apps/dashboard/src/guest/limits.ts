/** Every bound of the guest's page, with its unit and its reason. */
export const limits = {
  /** How long connecting may take before the page says why it is slow, milliseconds. */
  slowMs: 5_000,
  /** One attempt to reach the provider, milliseconds. */
  connectMs: 30_000,
  /** How often the counters are asked for, and how long one such question may take, milliseconds. */
  stateEveryMs: 15_000,
  stateMs: 5_000,
  /** Turns that are sent and kept; the oldest go first. */
  turnsMax: 100,
  /** Bytes of the turns that are sent, as JSON; older ones stay behind first: one request to a model elsewhere carries 786,432. */
  sentBytesMax: 700_000,
  /** Characters of one message. */
  messageCharsMax: 20_000,
  /** "Did you mean" buttons at once. */
  suggestionsMax: 4,
} as const;
