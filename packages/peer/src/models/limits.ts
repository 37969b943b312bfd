/** Every bound of model files and split models, with its unit and its reason. Not beside the others, which a guest’s page holds too. */
export const modelLimits = {
  /** Imported model files: how many, bytes of one and of all, and characters of a name. */
  importedModelsMax: 64,
  importedFileBytesMax: 268_435_456,
  importedBytesMax: 8_589_934_592,
  importedNameCharsMax: 64,
  /** Bytes of a tokenizer.json beside one. */
  tokenizerBytesMax: 33_554_432,
  /** Tokens of one text that such a model looks at, as the engine cuts it. */
  importedTokensMax: 512,
  /** Bytes of such a file that are in memory while it comes: each write waits for the disk. */
  importedPieceBytes: 4_194_304,
  /** Numbers that one run of such a model takes or gives as JSON: about 5 MB of text. */
  modelElementsMax: 262_144,
  /** Lists inside each other in such JSON. */
  modelRankMax: 16,
  /** Split models of one peer, stages of each, and answers of one at once, counts: what more hold waits for the slowest anyway. */
  splitsMax: 8,
  splitStagesMax: 8,
  splitAnswersMax: 4,
  /** How long the stages of a split model stay loaded after its last answer, milliseconds: they fill the memory of other people's devices. */
  splitRestMs: 300_000,
  /** Steps of a run in stages between two times that its weights are kept, count: so many are lost with a device. */
  runStepsKeptMax: 500,
  /** Weights of stages that others gave this peer, bytes and count; the ones unused for longest go. */
  stageKeptBytesMax: 536_870_912,
  stagesKeptMax: 64,
  /** Runs of imported models that wait: one runs at a time. */
  modelRunsWaitingMax: 16,
  /** One run that a paired device asks for: bytes of question and of answer (as many numbers as above, 24 letters each), and milliseconds until it is given up: loading and one run, after others. */
  askedRunBytesMax: 8_388_608,
  askedRunMs: 300_000,
  /** Such runs of one device at once, count: those here wait for them. */
  askedRunsPerPeerMax: 2,
  /** Characters of the id that such a run is counted under, and of the half of its receipt in base64url: the bytes that the share protocol takes. */
  runIdCharsMax: 128,
  runReceiptCharsMax: 21_846,
  /** What a device is told of the models it may run here: bytes in all; of one model the first inputs and outputs, counts, and characters of each name. */
  offeredBytesMax: 4_194_304,
  offeredValuesMax: 32,
  offeredNameCharsMax: 128,
  /** How long such a model stays in memory after its last run, milliseconds. */
  modelRestMs: 60_000,
} as const;
