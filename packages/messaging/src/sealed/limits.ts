/** Every bound of sealed letters, with its unit and its reason. */
export const sealedLimits = {
  /** Bytes that a padded letter can have: all that a relay or a hop learns of its length. Few classes, so many letters look the same. */
  sizeClasses: [1_024, 4_096, 16_384, 65_536, 262_144, 1_054_720],
  /** How often the key is changed that letters are sealed to, milliseconds: a week. */
  letterKeyChangeMs: 604_800_000,
  /**
   * How long a key is kept after its successor was published, milliseconds: a record that names it lives a week more, a letter sealed to it then
   * lives 14 days, and a day for clocks. After that nobody can open what was sealed to it.
   */
  letterKeyKeptMs: 1_900_800_000,
  /** How long a record of ours is valid, milliseconds; a new one is made when half of it is over. */
  recordLifeMs: 604_800_000,
} as const;
