import { type Method, parsePeerId, PeerAiError, wire } from '@peerai/core-protocol';
import type { ClusterHead } from '../clusters/own-clusters.ts';
import { limits } from '../limits.ts';
import { clusterLimits } from '../clusters/limits.ts';
import { ownLimits } from './limits.ts';

const { bool, bytes, double, message, nested, oneOf, optional, repeated, string, uint32, uint53 } = wire;

const versionForm = message({ peer: string(1), count: uint53(2) });
const clusterForm = message({
  name: string(1),
  removed: bool(2),
  seed: uint32(3),
  shared: bool(4),
  createdMs: uint53(5),
  steps: uint53(6),
  learned: uint53(7),
  heard: uint53(8),
  right: optional(double(9)),
  hash: string(10),
  version: repeated(nested(11, versionForm), ownLimits.versionPeersMax),
});
export const ownQuestion = message({
  kind: oneOf(1, ['digest', 'bucket', 'capsules', 'clusters', 'cluster', 'changed']),
  bucket: optional(uint32(2)),
  /** 32 bytes each. */
  ids: optional(bytes(3)),
  name: optional(string(4)),
});
export const ownAnswer = message({
  digest: optional(bytes(1)),
  held: optional(bytes(2)),
  gone: optional(bytes(3)),
  capsule: optional(bytes(4)),
  piece: optional(bytes(5)),
  clusters: repeated(nested(6, clusterForm), ownLimits.clustersToldMax),
});
export type OwnQuestion = ReturnType<typeof ownQuestion.decode>;
export type OwnAnswer = ReturnType<typeof ownAnswer.decode>;

/** With nothing said yet. */
export const plainQuestion = { bucket: undefined, ids: undefined, name: undefined } as const;
export const plainAnswer = {
  digest: undefined,
  held: undefined,
  gone: undefined,
  capsule: undefined,
  piece: undefined,
  clusters: [],
} as const;

/** `/peerai/own/1`: between devices whose owner declared each the other's own. */
export const ownMethod: Method<OwnQuestion, OwnAnswer> = {
  protocol: {
    id: '/peerai/own/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: ownLimits.messageBytesMax,
    channelsPerPeerMax: 2,
  },
  request: ownQuestion,
  response: ownAnswer,
  timeoutMs: limits.questionMs,
};

type ClusterForm = OwnAnswer['clusters'][number];
const none = { seed: 0, shared: false, createdMs: 0, steps: 0, learned: 0, heard: 0, right: null };

export function toForm({ name, removed, row, hash, version }: ClusterHead): ClusterForm {
  const { right, seed, shared, createdMs, steps, learned, heard } = row ?? none;
  const counts = Object.entries(version).map(([peer, count]) => ({ peer, count }));
  return {
    name,
    removed,
    seed,
    shared,
    createdMs,
    steps,
    learned,
    heard,
    right: right ?? undefined,
    hash,
    version: counts,
  };
}

/** Throws INVALID_FORMAT for what no device of ours says. */
export function fromForm({ name, removed, hash, version: counts, right, ...row }: ClusterForm): ClusterHead {
  const version = Object.fromEntries(counts.map(({ peer, count }) => [parsePeerId(peer), count]));
  if (
    name === '' ||
    name.length > clusterLimits.clusterNameCharsMax ||
    /\p{Cc}/u.test(name) ||
    (right !== undefined && !(right >= 0 && right <= 1))
  )
    throw new PeerAiError('INVALID_FORMAT', 'this is no cluster of another device');
  const facts = { name, removed, hash, version, work: row.steps + row.learned + row.heard };
  return { ...facts, row: removed ? undefined : { ...row, right: right ?? null, version } };
}
