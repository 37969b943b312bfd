/** Every bound of the pages, with its unit and its reason. */
export const limits = {
  /** Points kept for the sparklines: one a second, one minute. */
  trafficPointsMax: 60,
  /** Waits before the events are asked for again, milliseconds; the last one repeats. */
  reconnectMs: [500, 1_000, 2_000, 5_000],
  /** How often pages ask while events are away, and while they are here, milliseconds. */
  pollLostMs: 5_000,
  pollLiveMs: 30_000,
  /** Devices drawn on the map; the list has all of them. */
  mapDevicesMax: 24,
  /** Turns of a conversation that are sent and kept; older ones are dropped first. */
  turnsMax: 200,
  /** Bytes of the turns that are sent, as JSON; older ones stay behind first: one request to a model elsewhere carries 786,432, one to the local API 1 MiB. */
  sentBytesMax: 700_000,
  /** Characters of one message: the local API takes 200,000. */
  messageCharsMax: 20_000,
  /** Messages of a topic kept on the page while it listens. */
  heardMax: 100,
  /** Members of a group, oneself included: what MLS groups here take. */
  groupMembersMax: 32,
  /** Characters of a document's text: what may be written here. */
  documentTextCharsMax: 262_144,
  /** From so many keys on they can be looked for by their name. */
  findFrom: 12,
  /** Keys of a document that are shown at once; others are found by their name. */
  documentRowsMax: 200,
  /** Characters of a value in the list; all of it is there to edit. */
  valueCharsShown: 400,
  /** Memories that come at once; more are asked for. */
  memoryPage: 30,
  /** Hits of a search, best first: a device that is asked gives at most 20. */
  memoryHitsShown: 50,
  /** Characters of what is remembered: what the local API takes. */
  memoryTextCharsMax: 262_144,
  /** Characters of a question to the memory: what the local API takes. */
  memoryQuestionCharsMax: 16_384,
  /** Decisions of a group that are listed, the last ones; and refused peers, holders of points, and agreed hashes, the first ones. */
  governanceRowsShown: 20,
  /** Characters of a proposal's title, text and reason: what the local API takes. */
  proposalTitleCharsMax: 120,
  proposalTextCharsMax: 4_000,
  proposalReasonCharsMax: 280,
  /** Characters of an agreed hash's name. */
  checkpointNameCharsMax: 64,
  /** Rounds of a run that its table and its strip show, the last ones; the curve has all of them. */
  trainingRoundsShown: 40,
  /** Members of a run that have a line of their own: so many colours can be told apart. */
  trainingLinesMax: 6,
  /** Refused updates that are listed, the last ones. */
  trainingRefusedShown: 20,
  /** How often an open run is asked who came with its links, milliseconds: no event tells. Browsers that one link may let in: what the local API takes. */
  trainingLinksLookMs: 5_000,
  trainingVisitorsMax: 32,
  /** Nodes of a cluster that are drawn, the first ones; and how long one that fired is lit, milliseconds. */
  clusterNodesDrawn: 256,
  firedShownMs: 600,
  /** How often a cluster that works is looked at, milliseconds, and the pause between two of its steps here. */
  clusterLookMs: 1_000,
  clusterPauseMs: 200,
  /** What a cluster may have, and one request: what the local API takes, its steps with their pauses. */
  clusterNodesMax: 1_024,
  clusterInputsMax: 256,
  clusterOutputsMax: 64,
  clusterStepsMax: 300,
  clusterPassesMax: 100,
  /** Examples of a task that is filled in. */
  clusterExamplesDrawn: 200,
  /** For how long each look at state metrics has devices asked for theirs, milliseconds; and how many seconds of them are kept. */
  metricsWatchMs: 15_000,
  metricsPointsMax: 60,
  /** Bytes of a model file and of each file with its words, characters of its name, and stages of a split model: what the local API takes. */
  modelFileBytesMax: 268_435_456,
  modelTextBytesMax: 33_554_432,
  modelNameCharsMax: 64,
  splitStagesMax: 8,
  /** How many starting questions and suggestions are offered at once. */
  suggestionsMax: 4,
} as const;
