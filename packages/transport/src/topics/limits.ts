/** Bounds of what is said on topics; a page that only asks needs none of them, so they stand apart. */
export const topicLimits = {
  /** Messages of our own on one topic at once, and a second; what is more is refused to its publisher. */
  topicBurst: 1_024,
  topicPerSecond: 200,
  /** Messages of one author on one topic that are taken at once, and a second: above its own rate, for what a stalled link brings at once. */
  topicBurstTaken: 2_048,
  topicPerSecondTaken: 256,
  /** Messages above that rate which are left out only; each further one counts as invalid where its author brings it itself. */
  topicOverMax: 512,
  /**
   * What a subscriber that stands still may have waiting, messages and bytes; the oldest go. A thousand small ones come at once where twenty publish fifty each, and the
   * bytes are those of 256 of the largest.
   */
  topicWaitingMax: 8_192,
  topicWaitingBytesMax: 16_777_216,
  /** Authors on topics whose rate is remembered; the one heard of longest ago goes. */
  topicRatesMax: 4_096,
} as const;
