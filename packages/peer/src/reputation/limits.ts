/** Every bound of reputation in a running peer, with its unit and its reason; what scores are made of is in the ledger's `reputationLimits`. */
export const standingLimits = {
  /** Peers whose deeds are kept, count: each is a row of some hundred bytes. One more takes the place of the one that was quiet longest. */
  peersKeptMax: 1_024,
  /** Deeds remembered by their ids, count: what is told twice counts once. */
  idsKeptMax: 1_024,
  /** Peers whose opinions are kept, count, and those one may have an opinion of: as many as one question asks about. */
  tellersMax: 64,
  subjectsMax: 64,
  /** How often a device is asked what it thinks of others, milliseconds: names change within days. */
  askEveryMs: 3_600_000,
  /** How long it may take to say it, milliseconds. */
  askMs: 5_000,
  /** Bytes of one message of `/peerai/reputation/1`: 64 opinions of 512 bytes. */
  messageBytesMax: 36_864,
  /** Score below which a peer gets no new lease here, unless the owner says otherwise: under a stranger's 0.3, so that it takes deeds to get there. */
  admissionMin: 0.25,
  /** Score of who nothing is known of, as in the ledger's `reputationLimits`: here for who asks before those are loaded. */
  unknownScore: 0.3,
} as const;
