/** Every bound of the peer protocol's profiles, with its unit and its reason; a whole message keeps `messageBytesMax` of the package. */
export const pcpLimits = {
  /** An entity id, UTF-8 bytes: a name in every line of a log. */
  entityIdBytesMax: 256,
  /** Nonce as text, characters: 16 bytes in base64 without its padding, up to 64 bytes in base64 or hex. */
  nonceCharsMin: 22,
  nonceBase64CharsMax: 86,
  nonceCharsMax: 128,
  /** One number as it is written: a 256-bit integer has 78 digits. */
  numberCharsMax: 80,
  /** A timestamp, characters: a date, a time, nine digits of a second and a zone have 35. */
  timestampCharsMax: 35,
  /** ± milliseconds of profile pcp/0.1. Its reference takes 300 s; a nonce is forgotten at 300 s, so this ends one before. */
  concatSkewMsMax: 299_999,
  /** Fields of one object that no schema knows: they are tolerated, and left out. */
  extraFieldsMax: 32,
  /** JSON values in an object whose members no schema names: a task's context, a result. */
  freeValuesMax: 1_000,
  /** Ids of tasks, sessions and messages, UTF-8 bytes: a UUID has 36. */
  idBytesMax: 128,
  /** A name, a word, a capability, UTF-8 bytes. */
  nameBytesMax: 256,
  /** A reason or an error's sentence, UTF-8 bytes. */
  noteBytesMax: 1_024,
  /** What is to be done, UTF-8 bytes: a prompt fits. */
  descriptionBytesMax: 65_536,
  /** Entries of a list of names or peers. */
  namesMax: 256,
  /** Versions one side may offer. */
  versionsMax: 16,
  /** Bytes of one chunk before base64, and its text: the newer module of the reference cuts so. */
  chunkBytesMax: 32_768,
  chunkTextMax: 43_692,
  /** A signed peer record as base64url: 8,192 bytes, four characters for three. */
  recordTextMax: 10_923,
  /** Bytes of one transfer, 10 MiB, and so the chunks of one at 1 KiB or more each. */
  transferBytesMax: 10_485_760,
  chunksMax: 10_240,
  /** Bytes that all unfinished transfers together may hold. */
  assemblyBytesMax: 52_428_800,
  /** What one sender may hold of that: two transfers, so that nobody fills the table alone. */
  assemblySenderBytesMax: 20_971_520,
  /** Counted for each chunk held beside its bytes: what a map's entry and an array cost, so that chunks of one byte fill no memory. */
  chunkOverheadBytes: 256,
  /** Unfinished transfers of one sender, and of all. */
  transfersPerSenderMax: 8,
  transfersMax: 256,
  /** A transfer that is not whole by then is dropped, milliseconds after its first chunk. */
  transferLifeMs: 300_000,
  /** Lost chunks one request may name; more wait for the next. */
  resendIndexesMax: 256,
  /** Payloads above this are worth compressing, bytes. */
  compressAboveBytes: 1_024,
  /** Small messages in one frame. */
  batchMessagesMax: 10,
  /** What a frame holds, inflated, bytes: one message of the largest size and the frame around it. */
  frameBytesMax: 1_049_600,
  /** What a frame's own fields add to that, bytes. */
  frameFieldsBytesMax: 16,
  /** Deflated bytes that are inflated before the size is looked at again: at most 1,032 times as many come out. */
  inflateStepBytes: 256,
} as const;
