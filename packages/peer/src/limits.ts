/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** Chains of receipts with one device that are remembered beside the one in use, those of its earlier pairings. */
  formerLeasesMax: 4,
  /** Events kept for a reader that comes back with `Last-Event-ID`, and queued for one that reads slowly. */
  eventsKeptMax: 1_000,
  /** Devices one peer is paired with. */
  devicesMax: 256,
  /** Invites that wait at once; each lives ten minutes. */
  invitesOpenMax: 16,
  /** Pairings that wait for a person at once: a screen has room for few. */
  pairingsWaitingMax: 8,
  /** How long both screens wait for "They match", milliseconds. */
  pairingWaitMs: 600_000,
  /** Active and ended shares kept in the list; the oldest ended one goes first. */
  sharesMax: 200,
  /** Characters of a device's name as this peer shows it; what is longer is cut. */
  nameCharsMax: 32,
  /** How long joining goes on trying to reach an inviter whose relay has no place for it (yet), and after what pause again, milliseconds. */
  joinTryMs: 5_000,
  joinAgainMs: 500,
  /** Names of models or devices in the text of an error; what is more is in the lists. */
  namesToldMax: 8,
  /** Addresses of a device that are kept: the best ones come first. */
  addressesMax: 8,
  /** How long the own signed record is good, milliseconds; it is signed anew at half of that. A peer that is gone is not found after it. */
  recordLifeMs: 7_200_000,
  /** How often it is looked whether the record still says what is so, milliseconds. */
  announceLookMs: 5_000,
  /** How long another peer's discovery message is searched for, milliseconds: below what its sender waits. */
  discoverMs: 5_000,
  /** Received messages kept to read. */
  inboxMessagesMax: 1_000,
  /** First and last wait before a paired device is tried again, milliseconds. */
  redialMsMin: 2_000,
  redialMsMax: 60_000,
  /** How long the link of a peer that ended its own key stays for our answer to it, milliseconds. */
  goodbyeMs: 500,
  /** How long one question to another peer about itself may take, milliseconds. */
  questionMs: 10_000,
  /** How long an invite or a share made just after the start, or after a relay's link came up, waits for the relay's place, milliseconds: a dial may take 6 s, a place 5 s. */
  relaySettleMs: 10_000,
  /** How often it is looked whether the place is there, milliseconds. */
  relayLookMs: 100,
  /** Life of a share, milliseconds: at least a minute, at most 30 days. */
  shareLifeMsMin: 60_000,
  shareLifeMsMax: 2_592_000_000,
  shareTokensMax: 1_000_000_000,
  /** How long a new request waits for the signature of the last answer, milliseconds. */
  signatureGraceMs: 1_000,
  /** How long sending a message waits to say "delivered" instead of "queued", milliseconds. */
  deliveredWaitMs: 2_000,
  /** How often it is told how far a file is, milliseconds: as often as people can see. */
  fileProgressMs: 250,
  /** Messages of one broadcast that are on their way at once: each may wait as long, and 256 devices must not take minutes. */
  broadcastAtOnce: 32,
  /** Messages to groups kept to read, of all groups together: each is up to 256 KiB. */
  groupSentMax: 200,
  /** How often it is looked whether a group's message is with its members, while `deliveredWaitMs` runs. */
  groupLookMs: 100,
  /** How often the engines are asked for their models, milliseconds. */
  engineListEveryMs: 30_000,
  /** How long a question is remembered whose receipt never came, milliseconds: as long as the longest share, or its guest could never ask again. */
  askedKeptMs: 2_592_000_000,
  /** Questions without a receipt that are remembered; refused ones leave such rows too. The oldest go first. */
  askedKeptMax: 4_096,
  /** How long after its last answer a peer is asked what is owed to it, milliseconds: a lost signature is rare and hurts little. */
  lookBackMs: 30_000,
  /** The longest wait between two such looks at a peer that is away, milliseconds. */
  lookBackMsMax: 3_600_000,
  /** New questions after which old ones are looked for. */
  askedSweepEvery: 256,
  /** A guest that only looks is written down this often, milliseconds: a look must not cost a write each time. */
  guestSeenEveryMs: 60_000,
  /** Remote answers that wait for their receipt's second signature, milliseconds. */
  countersignMs: 5_000,
  /** Characters of a task's type and title, and of a reason or a line about its progress. */
  taskTypeCharsMax: 64,
  taskTitleCharsMax: 200,
  taskReasonCharsMax: 1_000,
  /** What a task asks and what it gives back, UTF-8 bytes of JSON each: with its frame it fits one message, many fit a disk. */
  taskBytesMax: 262_144,
  taskResultBytesMax: 262_144,
  /** Tasks of one peer, and of all, that wait here or run; the next one is rejected with QUEUE_FULL. */
  tasksWaitingPerPeerMax: 100,
  tasksWaitingMax: 1_000,
  /** Bytes of one peer's tasks that wait here or run. */
  taskWaitingBytesPerPeerMax: 8_388_608,
  /** Tasks given to one peer that are not over. */
  tasksGivenPerPeerMax: 500,
  /** Tasks that are remembered at all, and those of them that are over and keep their contents; the oldest go first. */
  tasksKeptMax: 5_000,
  taskBodiesKeptMax: 200,
  /** How long a task may be on its way and in line, milliseconds; what is older is refused, so that no copy comes back later. */
  taskLifeMsMax: 1_209_600_000,
  /** How long a task waits for its peer where no deadline says less, milliseconds: 72 hours, as for any message. */
  taskLifeMsDefault: 259_200_000,
  /** How long one run may take, and how long its handler has to end once it was told to, milliseconds; less when the agent itself stops. */
  taskRunMsMax: 3_600_000,
  taskEndMsMax: 5_000,
  taskShutdownMsMax: 1_000,
  /** Tokens of a model's answer to a task unless it asks for others, and at most: 32,768 tokens are about 128 KiB of text. */
  taskTokensDefault: 1_024,
  taskTokensMax: 32_768,
  /** How often a repeatable task is begun: one that ends the agent each time must not do so for ever. */
  taskAttemptsMax: 3,
  /** Time in line that is worth one rank of priority, milliseconds. */
  taskAgeingMs: 60_000,
  /** Least time between two messages about one task's progress, and between two events, milliseconds. */
  taskProgressEveryMs: 2_000,
  taskToldEveryMs: 250,
  /** How often deadlines and owed messages are looked at, milliseconds. */
  taskLookMs: 5_000,
  /** How long past its deadline a given task waits for the answer that is under way, milliseconds. */
  taskGraceMs: 60_000,
  /** Messages about tasks that are on disk and not yet worked off; the next sender is told to come later. */
  taskTrayMax: 64,
  /** One message on a topic, bytes: gossip carries it to everybody. Subscriptions that are open at once. */
  topicBytesMax: 32_768,
  topicsOpenMax: 32,
  /** Characters of a filter on a topic, its conditions, and fields one of them looks into: it is asked for every message. */
  interestCharsMax: 512,
  interestClausesMax: 16,
  interestDepthMax: 8,
  /** Bytes of a ping's nonce. */
  pingNonceBytes: 32,
  /** How often a device that is here is asked how it is, how long its answer may take, and misses in a row until it counts as unhealthy. */
  heartbeatEveryMs: 30_000,
  heartbeatAnswerMs: 5_000,
  heartbeatMissesMax: 3,
  /** One answer about capabilities, bytes; of each of its five lists as JSON, so that all fit with the rest; entries of each, and characters of each entry. */
  capabilitiesBytesMax: 131_072,
  capabilityListBytesMax: 24_576,
  capabilityEntriesMax: 256,
  capabilityCharsMax: 256,
  /** How long what a device can do is kept before it is asked again, milliseconds. */
  capabilitiesKeptMs: 600_000,
  /** How long a question about capabilities, and its answer, is of use as a letter, milliseconds: somebody waits. */
  capabilityLetterMs: 15_000,
  /** Such letters that one peer is answered with in a minute. */
  capabilityAnswersPerMinute: 10,
  /** Wake-ups of one peer that are answered in a window, and the window, milliseconds. */
  wakesPerWindowMax: 10,
  wakeWindowMs: 60_000,
  /** How long a model may load before a wake-up is answered, milliseconds: below what a messenger's handler may take. */
  wakeLoadMsMax: 25_000,
  /** Wake-ups whose answers are waited for at once. */
  wakesWaitingMax: 64,
  /** Characters of the id and of the reason in such a message; what is longer is cut. */
  wakeIdCharsMax: 64,
  wakeReasonCharsMax: 200,
  /** Characters of the names of runs, columns and labels: a screen has room for few. */
  trainingNameCharsMax: 64,
  /** Columns and labels of a table, hidden layers and their width: with all at their most the model has four million weights. */
  trainingColumnsMax: 256,
  trainingClassesMax: 256,
  trainingLayersMax: 4,
  trainingWidthMax: 1_024,
  /** Pixels of the side of an image, and the columns of such images in colour with their label: larger ones do not fit a data set in numbers. */
  trainingImageSideMin: 8,
  trainingImageSideMax: 32,
  trainingImageColumnsMax: 3_073,
  /** Filters of one stage, and stages: with all at their most the model has four million weights. */
  trainingFiltersMax: 64,
  trainingStagesMax: 3,
  /** Images kept apart to measure with: all go through the network at once, of which the widest takes 0.3 MB for one. */
  trainingHeldImagesMax: 256,
  /** Rank of an adapter, and how strongly it counts: above either it is no small correction any more. */
  trainingRankMax: 64,
  trainingAlphaMax: 1_024,
  /** Bytes of what an adapter is of: nine times the shipped guide's. A plan of such a model is understood before the model is there, so its sizes have bounds too. */
  trainingBaseBytesMax: 67_108_864,
  trainingBaseVocabularyMax: 65_536,
  trainingBaseLayersMax: 32,
  trainingBaseHiddenMax: 4_096,
  trainingBaseContextMax: 4_096,
  /** Bytes of one data set, and its rows: it is held in memory while it is learned from. */
  trainingDataBytesMax: 16_777_216,
  trainingRowsMax: 100_000,
  /** Rows a table has at least, and bytes a text: less cannot be learned from and kept apart. */
  trainingRowsMin: 10,
  trainingTextBytesMin: 2_000,
  /** Examples kept apart to measure with, at most: each round measures once. */
  trainingHeldOutMax: 1_024,
  /** Data sets that were read in and are in no run; the oldest goes first. */
  trainingDataKept: 8,
  /** Rounds of a run, and steps between two of them. */
  trainingRoundsMax: 2_000,
  trainingLocalStepsMax: 10_000,
  /** Updates of a round that may lie; twice as many good ones and one more are needed. */
  trainingLiarsMax: 64,
  /** Others that one private run invites: with the starter as many as its sums take. */
  trainingInvitedMax: 63,
  /** A privacy budget above this promises nothing. */
  trainingEpsilonMax: 1_000,
  /** Threads one run may compute with. */
  trainingThreadsMax: 16,
  /** Runs kept in the list, and offered at once; the oldest ended one goes first. */
  trainingRunsKept: 100,
  trainingOffersMax: 4,
  /** Bytes of one run's plan, and of an answer with the offers. */
  trainingPlanBytesMax: 65_536,
  trainingOffersBytesMax: 300_000,
  /** Links into runs that are kept, visitors one may let in, and how long it may live, milliseconds: a timer waits for its end. */
  trainingLinksMax: 32,
  trainingVisitorsMax: 32,
  trainingLinkMsMin: 60_000,
  trainingLinkMsMax: 604_800_000,
  /** Bytes of an answer to one: a plan and terms. */
  trainingLinkBytesMax: 70_000,
  /** How long a visitor's processor is looked back at to say how busy it is, milliseconds. */
  trainingBusyMs: 10_000,
  /** How long a device may take to say what it offers, milliseconds. */
  trainingQuestionMs: 5_000,
  /** How long a member waits before it looks for a coordinator again, milliseconds, and how often who started the run looks before it leads. */
  trainingAgainMs: 3_000,
  trainingLooksMax: 4,
  /** Least time between two events about one run's progress, milliseconds. */
  trainingToldEveryMs: 250,
  /** How long a run has to end when it is stopped, milliseconds. */
  trainingEndMsMax: 5_000,
  /** What may be remembered, asked and listed at once: as the memory itself has it, in characters, before anything is embedded. */
  memoryTextCharsMax: 262_144,
  memorySummaryCharsMax: 1_024,
  memoryTagsMax: 16,
  memoryTagCharsMax: 64,
  memoryRelationsMax: 64,
  memoryQuestionCharsMax: 16_384,
  memoryHitsMax: 100,
  memoryPageMax: 500,
  /** How long one question to the model that embeds may take, milliseconds: an engine that loads it first needs some seconds. The first one takes a look at it too. */
  embedMs: 30_000,
  embedderFirstMs: 30_000,
  /** How long an embedder that failed is not asked again, milliseconds: words are compared meanwhile, without a wait. */
  embedderAwayMs: 30_000,
  /** How long the embedder that was chosen by itself may be missing before another takes its place and everything is embedded anew, milliseconds. */
  embedderMissingMs: 600_000,
  /** How often it is looked whether capsules want another vector, milliseconds: it is one comparison of numbers where none does. */
  embedAgainEveryMs: 30_000,
  /** Models that are tried, count, where the first ones fail. */
  embedderTriesMax: 4,
  /** Characters of a text that a model refused and that is not cut any further: the smallest models read 256 tokens. */
  embedRefusedCharsMin: 256,
  /** Hits that one peer is given at most, count: each brings its capsule. */
  memorySharedHitsMax: 20,
  /** Capsules that wait for peers that are away, count: all of them stand in one list. */
  memorySharesWaitingMax: 256,
  /** Capsules and links of one picture of the memory, counts: more lines than that nobody can follow. */
  memoryGraphCapsulesMax: 48,
  memoryGraphLinksMax: 120,
  /** Least cosine of two capsules that are drawn as near; near-equal ones, that tidying joins, have 0.97. */
  graphCosineMin: 0.5,
  /** One question to a model: characters of its name and of each message, messages, and tokens of the answer: a window of 32,768 tokens holds about 130,000 characters. */
  chatModelCharsMax: 256,
  chatTextCharsMax: 200_000,
  chatMessagesMax: 400,
  chatTokensMax: 32_768,
  /** Notes from the memory that one answer may be given, and characters of each: a small model's window holds them and the question. */
  recallNotesMax: 8,
  recallCharsMax: 2_000,
  /** Cosine below which a capsule is no note: texts of the lexical embedder that share no word lie below it. */
  recallCosineMin: 0.2,
  /** One message of `/peerai/memory/1`, bytes: the largest capsule, or the longest question, in its frame. */
  memoryMessageBytesMax: 299_008,
} as const;
