/** Every bound of copies of other peers' logs, with its unit and its reason; apart from the package's others, which a guest's page loads. */
export const copyLimits = {
  /** Logs a peer keeps copies of, count. */
  originsMax: 64,
  /** Bytes of the entries of one copy: about 40,000 receipts; what comes after is not taken. */
  bytesPerOriginMax: 16 * 1_048_576,
  /** Entries in one range. */
  rangeEntriesMax: 256,
  /** Bytes of the entries in one range; one entry is always given, whatever its size. */
  rangeBytesMax: 262_144,
} as const;
