/** Every bound of gating clusters in a peer, with its unit and its reason. Not beside the others, which a guest’s page holds too. */
export const clusterLimits = {
  /** Gating clusters of one peer, count: with as many nodes and edges as each may have, all together are one state's list. */
  clustersMax: 8,
  /** Removed clusters that are remembered for the owner's other devices, count: the oldest goes, and could come back from one that was away. */
  clustersGoneMax: 64,
  /** What one of them may have: as the engine's own limits, told before it is loaded. */
  clusterNameCharsMax: 64,
  clusterNodesMax: 1_024,
  clusterInputsMax: 256,
  clusterOutputsMax: 64,
  clusterValueMax: 1_000_000,
  /** Steps and examples of one request, count, and how often those are gone through. */
  clusterStepsMax: 1_000,
  clusterExamplesMax: 2_000,
  clusterPassesMax: 100,
  /** Pause between two steps, milliseconds: slower is nothing to watch. */
  clusterPauseMsMax: 1_000,
  /** How long the pauses of one request may take together, milliseconds. */
  clusterRunMsMax: 60_000,
  /** Weights one request may visit, count: about ten seconds of one core. And after how many others get their turn: a few milliseconds. */
  clusterVisitsMax: 2_000_000_000,
  clusterVisitsAtOnce: 1_000_000,
  /** Least time between two events about the nodes of one cluster that fired, milliseconds: as often as people can see. */
  clusterToldEveryMs: 100,
  /** How late what other peers taught a cluster is on the disk, milliseconds. */
  clusterSaveMs: 1_000,
  /** How often it is looked who works with whom, milliseconds: loads come with heartbeats. */
  clusterLookMs: 5_000,
} as const;
