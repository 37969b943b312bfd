import type { PeerId } from '@peerai/core-protocol';

/** How often each device of one owner changed a cluster. */
export type ClusterVersion = Readonly<Record<string, number>>;

/** What two devices compare before one of them takes the other's cluster. */
export interface ClusterFacts {
  readonly version: ClusterVersion;
  readonly removed: boolean;
  /** Steps, lessons, and errors heard. */
  readonly work: number;
  /** SHA-256 of its state, hex; empty for one that was removed. */
  readonly hash: string;
}
export interface Verdict {
  readonly take: boolean;
  /** What it is from now on, whichever stays. */
  readonly version: ClusterVersion;
  /** Both had changed it without the other: the work of one of them is lost. */
  readonly isConflict: boolean;
}

export const changedBy = (version: ClusterVersion, peer: PeerId): ClusterVersion => ({
  ...version,
  [peer]: (version[peer] ?? 0) + 1,
});

const covers = (one: ClusterVersion, other: ClusterVersion): boolean =>
  Object.entries(other).every(([peer, count]) => (one[peer] ?? 0) >= count);

/**
 * Last writer by version vector. Two that were changed apart cannot be added up: of a cluster and its removal the cluster stays, of two clusters the one that worked more, then the one
 * with the greater hash. Both devices come to the same, whoever asks first.
 */
export function decide(mine: ClusterFacts, theirs: ClusterFacts): Verdict {
  if (covers(mine.version, theirs.version)) return { take: false, version: mine.version, isConflict: false };
  if (covers(theirs.version, mine.version)) return { take: true, version: theirs.version, isConflict: false };
  const peers = new Set([...Object.keys(mine.version), ...Object.keys(theirs.version)]);
  const most = [...peers].map((peer) => [peer, Math.max(mine.version[peer] ?? 0, theirs.version[peer] ?? 0)] as const);
  const isConflict = isBefore(mine, theirs) || isBefore(theirs, mine);
  return { take: isConflict && isBefore(mine, theirs), version: Object.fromEntries(most), isConflict };
}

function isBefore(mine: ClusterFacts, theirs: ClusterFacts): boolean {
  if (mine.removed !== theirs.removed) return mine.removed;
  if (mine.work !== theirs.work) return mine.work < theirs.work;
  return mine.hash < theirs.hash;
}
