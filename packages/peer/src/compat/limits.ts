/** Every bound of the seed's class, with its unit and its reason. Not beside the peer's, because a page that uses this class uses nothing else of it. */
export const limits = {
  /** Clusters of one device, count: each has up to 1,024 nodes. */
  clustersMax: 64,
  /** Characters of a cluster's name: it goes over the wire in error signals, which take 64. */
  clusterNameCharsMax: 64,
  /** Inputs of each node, count, as in the seed. */
  clusterInputs: 4,
  /** Steps of a cluster that one capsule describes, count, as in the seed. */
  capsuleSteps: 60,
  /** Numbers in a capsule's context, count, as in the seed. */
  contextNumbers: 16,
  /** Capsules that may wait to be written, count: a page that steps faster than its disk drops experience, and is told how much. */
  capsulesWaitingMax: 64,
  /** Characters of one direct message. */
  textCharsMax: 16_384,
  /** One question to a device or its answer, bytes: the longest text in UTF-8 and some. */
  deviceMessageBytesMax: 65_536,
  /** How long one question to a device may take, milliseconds. */
  questionMs: 10_000,
  /** What came and waits for `process_p2p_messages`, count; the oldest is dropped, and counted. */
  inboxMax: 256,
  /** Learning sessions under way at the same time, and those that are over and still told of, count. */
  sessionsMax: 4,
  sessionsToldMax: 32,
  /** How long the load is measured over, milliseconds. */
  loadMs: 10_000,
  /** Devices that one error goes to, count: what the exchange takes. */
  neighboursMax: 32,
  /** From an urgency of this on, an error is sent whole. */
  urgencyMost: 10,
  /** `step_simulation` mines, consolidates and looks for peers this often, milliseconds, as in the seed. */
  mineMs: 10_000,
  /** How long a block of the group may take, milliseconds: a leader that is gone and the next; what waits goes into a later one. */
  groupBlockMs: 10_000,
  consolidateMs: 300_000,
  discoverMs: 120_000,
} as const;
