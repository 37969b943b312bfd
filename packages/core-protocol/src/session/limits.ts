/** Every bound of sessions, with its unit and its reason. */
export const sessionLimits = {
  /** A session ends this many milliseconds after its handshake unless its owner says otherwise, and at most after a day. */
  lifeMs: 3_600_000,
  lifeMsMax: 86_400_000,
  /** A challenge that is not answered within this many milliseconds is void. */
  challengeLifeMs: 60_000,
  /** One handshake message: an ML-KEM-768 key has 1,184 bytes, the rest of an offer under 1 KiB. */
  handshakeBytesMax: 4_096,
  /** Versions, and cipher suites, that one offer may name. */
  versionsMax: 16,
  suitesMax: 16,
  /** Name of a cipher suite or an authenticator, UTF-8 bytes. */
  nameBytesMax: 64,
  /** What an authenticator may add to a handshake message, bytes: a signature of ML-DSA-44 fits beside the rest. */
  proofBytesMax: 2_560,
  /** One frame as it travels, header and tag included. */
  frameBytesMax: 1_048_576,
  /** One payload, bytes: the frame's own fields, the kind among them, stay under 512. */
  payloadBytesMax: 1_048_064,
  /** Frames that may be missing before one that comes; more is taken for a fault. */
  gapMax: 100,
  /** Frames below the highest that may still come, each once: all that a gap left open, and some. */
  windowFrames: 128,
  /** Sequence numbers promised to the disk at once; below `gapMax`, so that a crash does not end a session. */
  sendBlock: 64,
  receiveBlock: 32,
  /** A sender takes a new key after this many frames, or this many milliseconds. */
  rekeyFrames: 4_096,
  rekeyMs: 600_000,
  /** Keys that a receiver steps over at once, when all frames of those between were lost. */
  epochsAheadMax: 4,
  /** A key before the newest is kept for late frames at most this long, milliseconds. */
  oldKeyMs: 60_000,
} as const;
