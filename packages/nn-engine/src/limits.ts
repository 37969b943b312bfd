/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** Runs of one program that may wait, count: runs are serialised, more is a caller without back-pressure. */
  programQueueMax: 64,
  /** Bytes of one graph: protobuf's own ceiling is 2 GiB, and a graph of ours carries no foreign weights. */
  graphBytesMax: 536_870_912,
  /** Threads of one program, count: above the cores of a usual machine they only fight. */
  threadsMax: 64,
  /** Threads of a program in a tab that was not told, count: what ONNX Runtime takes there too. */
  tabThreads: 4,
  /** How long a program may take to load, milliseconds. */
  loadMsMax: 60_000,
  /** Characters of a question, UTF-16 units: checked before anything is computed. */
  nanoQuestionCharsMax: 2_000,
  /** Tokens of a question; with the answer it fits the context. */
  nanoQuestionTokensMax: 96,
  /** Tokens of question and answer together: what the shipped model was trained on. */
  nanoContextTokens: 256,
  /** Texts of one embed call, count. */
  embedTextsMax: 1_024,
  /** Characters of one embedded text, UTF-16 units: 18 k short texts a second, so this stays under 10 ms. */
  embedCharsMax: 16_384,
  /** Bytes of a nano model file: what the repository ships is below it. */
  nanoFileBytesMax: 3_145_728,
  /** Elements of one delta, count: half a gigabyte of float32, as much as a graph may hold. */
  deltaElementsMax: 134_217_728,
  /** Updates of one round, count: closeness of all pairs grows with its square. */
  roundUpdatesMax: 256,
  /** Bytes of what a coordinator says of its round: 256 signed receipts and as many names. */
  newsBytesMax: 262_144,
  /** A coordinator that says nothing for so long is gone, milliseconds; three signs of life are missing then. */
  coordinatorSilentMs: 10_000,
  /** How often a coordinator gives a sign of life while nothing changes, milliseconds. */
  coordinatorSignMs: 3_000,
  /** How long a coordinator may take to fetch one update, milliseconds. */
  submitMsMax: 120_000,
  /** Runs that are over and still answered for, count: each holds one state in memory. */
  runsOverMax: 8,
  /** How long a member waits before it asks a peer that does not lead yet again, milliseconds, and how often. */
  leaderRetryMs: 1_000,
  leaderTriesMax: 10,
  /** Members of a private run, count: each signs the names of all, and all of those signatures fit one message. */
  privateMembersMax: 64,
  /** Noise that is looked for where a budget is to last, in lengths of an update: above it nothing of one is left. */
  budgetNoiseMax: 100,
  /** Weights of a private run, count: 16 MiB masked, and a coordinator holds one such input of each member. */
  privateElementsMax: 4_194_304,
  /** Bytes of one step of a masked sum: 64 signed lists of 64 names. */
  sumBytesMax: 262_144,
  /** A member that does not do its step of a masked sum in this time has dropped out, milliseconds: 16 MiB take a third of it at 1 MB/s. */
  sumStepMs: 60_000,
  /** How long a coordinator holds the answer to a step that waits for others, milliseconds; then it says so and is asked again. */
  sumWaitMs: 3_000,
  /** How often the sum of one round is tried, count: what fails so often is broken by one of its members. */
  sumTriesMax: 5,
  /** Members of one masked sum, count: shares are points of a field with 255 of them, and each member masks against all others. */
  maskedMembersMax: 255,
  /** Members of one homomorphic sum, count: as of a masked one; 256 encryptions cost 8 of the 32 bits that a fresh one's noise leaves. */
  homomorphicMembersMax: 255,
  /** Numbers of one homomorphic sum, count: 16 ciphertexts, 1.3 MB from each member. More is what masked sums are for. */
  homomorphicElementsMax: 65_536,
  /** Bits that the noise of a sum must leave: 255 honest addends leave 23 or more. Less was not made by encrypting, and opening it could tell of the key. */
  homomorphicNoiseBitsMin: 20,
  /** Nodes of one gating cluster, count: a step visits each, and splitting must end somewhere. */
  clusterNodesMax: 1_024,
  /** Inputs and outputs of one cluster, count: each node holds a weight and a trace an input. */
  clusterInputsMax: 256,
  clusterOutputsMax: 64,
  /** Edges that end at one node, count: a node begins with three and its child with two more. */
  clusterEdgesMax: 8,
  /** Time steps of one presentation, count: nodes fire after about 15 at the latest when nothing drives them. */
  clusterStepsMax: 1_000,
  /** Largest magnitude of one input value: so that no sum of them overflows. */
  clusterValueMax: 1_000_000,
  /** Bytes of a saved cluster: 1,024 nodes of 256 inputs with all their edges need less. */
  clusterBytesMax: 8_388_608,
  /** Peers that one formation looks at, count; and members of one cluster of peers: each tells errors to all others. */
  formationPeersMax: 1_024,
  formationMembersMax: 33,
  /** Values of one list that state metrics are made of, count: eight times the edges of the largest cluster. */
  stateValuesMax: 65_536,
  /** Coherences that empathy, and earlier entropies that insight looks back on, count. */
  stateCoherencesMax: 10,
  stateEntropiesMax: 5,
  /** How old a signed state may be, milliseconds: ten of those sent each second, and clocks that differ. And how far ahead. */
  stateAgeMsMax: 10_000,
  stateAheadMsMax: 5_000,
  /** Peers whose states are held at once, count: one small row each, and each new one a signature to check. */
  statePeersMax: 1_024,
  /** Bytes of one signed state: what is signed is below 100. */
  stateBytesMax: 512,
  /** Rules of one alert machine, count. */
  alertRulesMax: 64,
  /** Links an error signal goes over at the most, count: each halves it or so, and each peer tells all its neighbours. */
  errorHopsMax: 4,
  /** The latency at which an error signal counts half, milliseconds one way: about the distance between two continents. */
  errorLatencyUnitMs: 100,
  /** Origins and clusters whose last error signal is remembered, count; the least recently heard leaves first. */
  errorOriginsMax: 1_024,
  /** UTF-16 units of a cluster's name. */
  clusterNameCharsMax: 64,
  /** Bytes of one error signal with its signature: 64 errors and the longest name need half of it. */
  errorSignalBytesMax: 2_048,
  /** Neighbours that error signals go to, count: each gets every signal. */
  errorNeighboursMax: 32,
  /** Error signals that wait for one neighbour, count; the oldest is dropped, since a late error teaches the wrong thing. */
  errorQueueMax: 16,
  /** How long a neighbour may take to answer, and is left alone after it did not, milliseconds. */
  errorOpenMs: 10_000,
  errorRetryMs: 5_000,
  /** Error signals heard from one neighbour: so many at once and so many a minute, each a signature to check; more are dropped unread. */
  errorSignalsBurst: 200,
  errorSignalsPerMinute: 6_000,
  /** Bytes of one ONNX file of the user's: the agent and the child hold it once each while it loads. */
  foreignModelBytesMax: 268_435_456,
  /** Nodes and stored tensors of one such file, count: large transformers have some ten thousand. */
  foreignNodesMax: 50_000,
  foreignInitializersMax: 50_000,
  /** Fields that are looked at in one such file, count: some hundred milliseconds of the agent's own time. */
  foreignFieldsMax: 1_000_000,
  /** Graphs inside graphs, count: loops and branches of real models go two or three deep. */
  foreignDepthMax: 8,
  /** Inputs and outputs together, count, and the sizes of one shape. */
  foreignValuesMax: 256,
  foreignRankMax: 16,
  /** UTF-8 bytes of a name in such a file. */
  foreignNameBytesMax: 1_024,
  /** Memory of the child that runs such a file, bytes: what it gets unless said, and the least, which Node and ONNX Runtime need for themselves. */
  foreignMemoryBytes: 2_147_483_648,
  foreignMemoryBytesMin: 268_435_456,
  /** Writable memory that Node reserves and does not use, bytes: 1.2 GB seen with one worker thread. */
  foreignReservedBytes: 2_147_483_648,
  /** How often the child looks at its own memory, milliseconds. */
  foreignLookMs: 20,
  /** How long one run of such a file may take unless said, milliseconds. */
  foreignRunMs: 60_000,
  /** Bytes of the tensors that one run takes, and gives: they go through a pipe into the agent. */
  foreignTensorBytesMax: 16_777_216,
  /** Bytes of a tokenizer.json with what lies beside it: those of 250,000 tokens have about 17 MB. */
  foreignTokenizerBytesMax: 33_554_432,
  /** Tokens of one embedded text: what most sentence models were trained for; what is longer is cut. */
  foreignTokensMax: 512,
  /** Tokens of prompt and answer of such a language model, count: a cache of 8,192 tokens of a half-billion model has 200 MB, twice while it grows. */
  foreignContextTokensMax: 8_192,
  /** The same where no file says it. */
  foreignContextTokensAssumed: 2_048,
  /** Characters of one prompt: what fits in that context several times over, and its tokenizer reads in a second. */
  foreignPromptCharsMax: 1_048_576,
  /** Tokens of a prompt that are read in one run, count, and the bytes of their scores: between two runs an answer can be given up. */
  foreignPrefillTokensMax: 128,
  foreignPrefillBytesMax: 16_777_216,
  /** Tokens of which one is drawn where the model's files do not say, count: what transformers does. */
  foreignTopK: 50,
  /** How long one answer may take, and the child may go on after its asker left, milliseconds. */
  foreignAnswerMs: 1_800_000,
  foreignCancelMs: 1_000,
  /** Texts that go through such a model in one run, count: 16 rows of 512 tokens of 1,024 numbers are 32 MB. */
  foreignTextsAtOnce: 16,
  /** Stages of one model, count: each is a hop, and a loopback hop alone takes a millisecond or two. */
  stagesMax: 64,
  /** Layers of a model that is cut into stages, count: large transformers have about a hundred. */
  stageLayersMax: 256,
  /** Bytes of one state that goes from stage to stage, as float32; twice of it, state and gradient, is one message. */
  stageActivationBytesMax: 2_097_152,
  /** Bytes of one message besides two such states: token numbers, shapes, names. */
  stageRestBytesMax: 65_536,
  /** Tensors of one message, count: a stage takes seven at the most. */
  stageTensorsMax: 16,
  /** Sizes of one tensor's shape, count: rows, tokens, heads and what each has. */
  stageRankMax: 4,
  /** Channels that one peer opens to one host, a stage each. */
  stageChannelsMax: 8,
  /** Stages that are open at one host at once, and offers of one host, count: each holds its weights, and its graphs in threads of their own. */
  stagesOpenMax: 16,
  stagesOfferedMax: 64,
  /** Bytes that one stage holds while it learns: 13 million weights with their moments and gradient. And stages that learn at one host at once, count: 1 GiB in all. */
  stageLearnBytesMax: 268_435_456,
  stagesLearningMax: 4,
  /** How long one call of a stage may take, its opening with the weights' way included, milliseconds. */
  stageCallMs: 60_000,
  /** UTF-16 units of what a stage's host says of an error. */
  stageErrorCharsMax: 256,
  /** Answers whose keys and values one stage keeps, count; another is refused. A split model gives four at once. */
  stageAnswersMax: 8,
  /** Bytes of all keys and values that a host keeps for others, set aside for a full row when an answer begins; one that does not fit is refused. */
  stageCacheBytesMax: 268_435_456,
  /** Attention scores of one layer, count: rows · heads · length², 64 MiB of a host's memory. */
  stageScoresMax: 16_777_216,
} as const;
