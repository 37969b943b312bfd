/** Every bound of state metrics, with its unit and its reason. Not beside the others, which a guest’s page holds too. */
export const metricsLimits = {
  /** How often a state is computed and sent, milliseconds. */
  metricsEveryMs: 1_000,
  /** For how long somebody who looks is taken to look, unless said, and at most, milliseconds. */
  metricsWatchMs: 15_000,
  metricsWatchMsMax: 3_600_000,
  /** When a peer that gave no state is asked again, milliseconds. */
  metricsAgainMs: 3_000,
  /** One message of `/peerai/metrics/1`, bytes: a signed state in its frames. */
  metricsMessageBytesMax: 1_024,
} as const;
