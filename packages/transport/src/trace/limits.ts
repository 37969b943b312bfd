/** Every bound of what is remembered of the ways to peers, with its unit and its reason. */
export const limits = {
  /** Peers, and relays, of which the last failed attempt is kept; the newest. A household has ten, a fleet a hundred. */
  tracesMax: 256,
  /** Steps of one such attempt, the last ones: a dial tries 16 addresses on a way. */
  traceStepsMax: 32,
  /** Addresses of one peer that a trace tries, in the order of their ways. */
  traceAddressesMax: 32,
  /** One address of a trace, milliseconds: a second more than a dial gives it. */
  traceAddressMs: 7_000,
  /** Addresses others see us come from, the newest: one for each connection out of here behind some routers. */
  observedMax: 32,
  /** Peers counted for one of them. */
  observersMax: 16,
} as const;
