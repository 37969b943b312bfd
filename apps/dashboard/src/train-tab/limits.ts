/** Every bound of the page for training, with its unit and its reason. */
export const limits = {
  /** One attempt to reach who made the link, milliseconds. */
  lookMs: 30_000,
  /** How often the processor's use is shown anew, milliseconds. */
  busyEveryMs: 1_000,
  /** Bytes of a file of the visitor's own: what a run learns from at most. */
  dataBytesMax: 16_777_216,
  /** Threads of a model of text or images here, at most: half of the cores, so that the visitor's other work goes on. A table needs one. */
  threadsMax: 4,
} as const;
