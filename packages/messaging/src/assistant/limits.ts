/** Every bound of the first assistants' mail, with its unit and its reason. */
export const assistantLimits = {
  /** One inbox file, bytes, and the envelopes in it: it is read whole, twice a second. */
  inboxBytesMax: 4_194_304,
  inboxEnvelopesMax: 1_000,
  /** A name is part of a file's name, characters. */
  nameCharsMax: 64,
  /** A lock that is older was left by a process that ended, milliseconds: it is held for one reading and one writing. */
  lockStaleMs: 5_000,
  lockPollMs: 25,
  /** How often half a file is looked at again before it is put aside, and the pause between, milliseconds: older programs write in place. */
  halfFileLooksMax: 10,
  halfFileMs: 100,
  /** Envelopes that are known again when they come a second time. */
  seenMax: 10_000,
} as const;
