/** Every bound of this package, with its unit and its reason. */
export const limits = {
  // ── asking
  /** One request id, UTF-8 bytes: 16 random bytes in hex, with room for other programs' ids. */
  requestIdBytesMax: 128,
  modelNameBytesMax: 128,
  /** All texts of one prompt, UTF-8 bytes: leaves room for the rest of a 1 MiB frame. */
  promptBytesMax: 786_432,
  promptMessagesMax: 1_024,
  /** Tokens of one answer. */
  answerTokensMax: 32_768,
  /** One answer, UTF-8 bytes: kept whole until its reader has it, so it bounds memory per answer. */
  answerBytesMax: 1_048_576,
  stopTextsMax: 16,
  stopTextBytesMax: 256,
  /** The proof of a right in the first frame, bytes. */
  grantBytesMax: 4_096,
  toolCallBytesMax: 65_536,
  suggestionsMax: 8,
  suggestionCharsMax: 256,
  receiptBytesMax: 16_384,
  /** Bytes of one signed statement about an answer: 16 stop texts of 256 bytes, names, and room. */
  statementBytesMax: 8_192,
  /** Bytes of an engine's name and version in it. */
  engineNameBytesMax: 128,
  /** Bytes of a file that holds a statement with its prompt and answer: the largest of each, and what frames them. */
  answerFileBytesMax: 1_900_544,
  /** One error sentence on the wire, UTF-8 bytes. */
  errorMessageBytesMax: 1_024,

  // ── sharing
  /** One message of `/peerai/model/1` and `/peerai/embed/1`. */
  shareFrameBytesMax: 1_048_576,
  /** Channels one peer may have open: its answers at once and those that wait. */
  shareChannelsPerPeerMax: 32,
  /** A channel that asks nothing is dropped after this, milliseconds. */
  firstFrameMs: 5_000,
  /** Text sent in one delta when the reader is slow and several have gathered, UTF-8 bytes. */
  deltaBytesMax: 16_384,
  /** Answers at once, unless the options say otherwise. */
  concurrencyDefault: 2,
  /** Requests that wait, over all peers, and of one peer. */
  queueLengthMax: 64,
  queuePerPeerMax: 16,
  /** Longest wait in the queue, milliseconds. */
  queueWaitMsMax: 300_000,
  /** What QUEUE_FULL advises at least and at most, milliseconds. */
  retryAfterMsMin: 1_000,
  retryAfterMsMax: 60_000,
  /**
   * How long an engine works on for a client whose link is lost, milliseconds. With the channel's 4.5 s until a silent peer is noticed this
   * stays below 5 s, and a closed client frees its slot within 1 s.
   */
  resumeGraceMs: 400,
  /** How long an ended answer stays for a client that comes back, milliseconds, and how many do over all peers. */
  answerKeptMs: 10_000,
  answersKeptMax: 128,
  answersKeptPerPeerMax: 16,
  /** A reader that takes nothing of an answer for this long is dropped, milliseconds. */
  readerStallMs: 30_000,
  /** How long the last word, an error, is offered to a reader, milliseconds. */
  errorFrameMs: 5_000,
  /** How long the provider waits for the countersigned receipt before it closes the channel, milliseconds. */
  countersignMs: 5_000,
  /** Model loading included, milliseconds. */
  firstTokenMsMax: 300_000,
  /** Silence of an engine between two tokens, milliseconds. */
  tokenGapMsMax: 120_000,

  // ── a peer's model, from the asker's side
  /** Times a lost request is sent again before its first token, and resumed after it. */
  resendTriesMax: 2,
  resumeTriesMax: 5,
  /** Pause before the n-th further try, milliseconds: the first three fall into the provider's grace. */
  retryPausesMs: [0, 100, 200, 1_000, 2_000],
  /** Silence of a provider whose channel lives, milliseconds: more than its own bounds together. */
  providerGapMsMax: 330_000,
  /** How long a cancelled answer's receipt is waited for in the background, milliseconds. */
  cancelReceiptMs: 2_000,
  /** One look at a peer's model list, milliseconds. */
  modelListMs: 10_000,
  /** Cards of one model list, its bytes, and channels that one peer may have open here to ask for it. */
  modelCardsMax: 256,
  modelListBytesMax: 262_144,
  modelListChannelsPerPeerMax: 4,
  descriptionCharsMax: 512,

  // ── embeddings
  embedTextsMax: 512,
  /** One frame of `/peerai/embed/1`: 512 rows of 8,192 dimensions do not fit, 512 of 2,000 do. */
  embedFrameBytesMax: 4_194_304,
  embedChannelsPerPeerMax: 4,
  embedDimensionsMax: 8_192,
  embedMs: 120_000,

  // ── `/llama/1.0.0`
  llamaRequestBytesMax: 262_144,
  /** From the first byte to the half-close, milliseconds. */
  llamaRequestMs: 10_000,
  llamaChannelsPerPeerMax: 4,
  /** Answers under this protocol at once, over all peers, unless the options say otherwise. */
  llamaConnectionsMax: 10,
  llamaMaxTokensDefault: 100,
  /** Bytes handed to the stream at once. */
  llamaPieceBytes: 65_536,
  llamaApiKeyBytesMax: 512,

  // ── the OpenAI and Ollama faces
  apiBodyBytesMax: 4_194_304,
  /** From the first byte of a body to its last, milliseconds. */
  apiBodyMs: 30_000,
  /** Answer tokens where a request names none. */
  apiMaxTokensDefault: 1_024,
  /** A model's name as these faces take it, characters: a card's name, or another program's with its host before it. */
  apiModelNameCharsMax: 256,
  /** Parts of one message's content. */
  apiContentPartsMax: 64,
  /** Prompts of one `/v1/completions` request. */
  apiPromptsMax: 16,

  // ── engines
  /** One address probed, milliseconds. */
  probeMs: 1_000,
  probeBodyBytesMax: 1_048_576,
  /** A question about models, milliseconds. */
  engineListMs: 5_000,
  /** One event or reply of an engine, characters: more is not a model's answer. */
  engineEventCharsMax: 1_048_576,
  engineModelsMax: 1_024,
  /** Questions about single models asked at once: a desktop's server answers each in milliseconds. */
  engineQuestionsAtOnce: 4,
  /** An engine's own error text kept for the log, characters. */
  engineErrorCharsMax: 512,
  /** Context assumed where an engine does not say, tokens. */
  contextTokensAssumed: 4_096,
  /** `lorem-N` of the scripted engine. */
  loremTokensMax: 1_000_000,
  /** Tokens the scripted engine gives before it lets others run. */
  loremBurstTokens: 256,

  // ── routing
  /** A failure counts against a provider for this long, milliseconds. */
  failureMemoryMs: 60_000,
  failuresPerKeyMax: 16,
  failureKeysMax: 1_024,
  /** Providers tried for one question. */
  routeTriesMax: 4,
} as const;
