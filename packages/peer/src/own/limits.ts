/** Every bound between the devices of one owner, with its unit and its reason. */
export const ownLimits = {
  /** How late a change is told to the other devices, milliseconds: several in a row are told once. */
  tellAfterMs: 1_000,
  /** Parts a memory is compared in, count: by the first byte of an id. And bytes of the hash of each. */
  bucketsCount: 256,
  bucketHashBytes: 16,
  /** Ids of one answer, count: 256 KiB. */
  idsPerAnswerMax: 8_192,
  /** Ids a device may have in one part, count: what its memory and its tombstones may hold at most. */
  bucketIdsMax: 200_000,
  /** Capsules of one question, count: 9 MiB of the largest are held until they are on the disk. */
  capsulesPerQuestionMax: 32,
  /** Clusters one device may tell of, count: those it has and those it remembers to have removed. */
  clustersToldMax: 72,
  /** Devices in one version of a cluster, count: with as many in each, all the clusters that one device tells of fit one message. */
  versionPeersMax: 48,
  /** Bytes of a cluster's state in one answer, and of a whole one. */
  pieceBytes: 262_144,
  stateBytesMax: 8_388_608,
  /** One message of `/peerai/own/1`, bytes: the largest capsule in its frame. */
  messageBytesMax: 299_008,
} as const;
