/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** Rounds of one comparison: below five a median says nothing. */
  roundsMin: 5,
  /** One bench as a whole, milliseconds; the slowest watches five networks, one after the other. */
  benchMs: 600_000,
  /** How long a process of a bench may take until it is ready, and to end when asked, milliseconds. */
  readyMs: 30_000,
  stopMs: 6_000,
} as const;
