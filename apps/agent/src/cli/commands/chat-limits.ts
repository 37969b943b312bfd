/** Every bound of `peerai chat`, with its unit and its reason. */
export const chatLimits = {
  /** A `.env`, bytes. */
  envBytesMax: 65_536,
  /** One typed line, characters: it fits into an envelope many times. */
  lineCharsMax: 16_384,
  /** Lines that wait for the other side; the next one is refused. */
  waitingMax: 100,
  /** Pauses after a failure, milliseconds: 1, 2, 4 … 60 s. */
  retryMsMin: 1_000,
  retryMsMax: 60_000,
  /** Lines of the other side that wait for an answer; the next ones are shown and not answered. */
  questionsMax: 16,
  /** What a model is told of the conversation before, messages. */
  messagesMax: 12,
  /** Tokens of an answer: a few sentences. */
  answerTokensMax: 256,
  /** How long one answer may take, a model that is loaded first included, milliseconds. */
  answerMsMax: 120_000,
  /** Handshakes are answered this often, milliseconds: old ones may lie in the inbox. */
  greetMsMin: 1_000,
  /** How often the inbox file is looked into, milliseconds. */
  lookMs: 250,
  /** The same complaint is printed this often, milliseconds: whoever reaches the port can cause it. */
  complainMsMin: 5_000,
  /** How long a chat that ends waits for what is on its way, milliseconds. */
  partingMs: 3_000,
  /** A log is put aside at so many bytes, and so many old ones are kept: some ten thousand lines of talk. */
  logBytesMax: 1_048_576,
  logsKept: 5,
} as const;
