/** Every bound of the peer protocol's profiles, with its unit and its reason; a whole message keeps `messageBytesMax` of the package. */
export const pcpLimits = {
  /** An entity id, UTF-8 bytes: a name in every line of a log. */
  entityIdBytesMax: 256,
  /** Nonce as text, characters: 16 bytes in hex or base64, up to 64 bytes in hex. */
  nonceCharsMin: 22,
  nonceCharsMax: 128,
  /** One number as it is written: a 256-bit integer has 78 digits. */
  numberCharsMax: 80,
  /** A timestamp, characters: a date, a time, nine digits of a second and a zone have 35. */
  timestampCharsMax: 35,
  /** ± milliseconds of profile pcp/0.1. Its reference takes 300 s; a nonce is forgotten at 300 s, so this ends one before. */
  concatSkewMsMax: 299_999,
} as const;
