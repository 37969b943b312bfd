/** Every bound of the cache, with its unit and its reason. */
export const cacheLimits = {
  /** Files kept, count: each is looked at when room is made. */
  filesMax: 1_024,
  /** What they may have together unless the owner says otherwise, bytes. */
  quotaBytes: 1_073_741_824,
  /** What has come of a file before it is written down, bytes: after a break at most that comes twice. */
  writtenEveryBytes: 1_048_576,
  /** Paired devices that one file is asked of, count. */
  askedMax: 32,
  /** Characters of the reason of one device that gave nothing. */
  reasonCharsMax: 200,
} as const;
