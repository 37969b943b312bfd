/** Every bound of witnesses, with its unit and its reason; apart from the package's others, which a guest's page loads. */
export const witnessLimits = {
  /** Logs one witness keeps a head of, count: a few hundred bytes each, and none is ever forgotten by itself. */
  originsMax: 1_024,
  /** Signatures of others kept under one checkpoint, count: C2SP asks readers to take 16 lines, one of them is the writer's. */
  cosignaturesMax: 15,
  /** Witnesses a policy may name, count. */
  policyWitnessesMax: 64,
  /** Hashes of a consistency proof in a request, count (C2SP tlog-witness). */
  proofHashesMax: 63,
  /** Bytes of an add-checkpoint request: a note, and 63 hashes as lines of base64. */
  requestBytesMax: 131_072 + 4_096,
  /** Bytes of a proof that somebody forked: two bare notes of about 300 bytes and 65 hashes. */
  evidenceBytesMax: 8_192,
} as const;
