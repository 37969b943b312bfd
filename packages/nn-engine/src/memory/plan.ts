import type { Clock } from '@peerai/core-protocol';

import { byNewest, type Group, type Held, type Holdings } from './holdings.ts';
import type { Relation } from './capsule.ts';
import { tidyRelations, tidyTags } from './draft.ts';
import { memoryLimits as limits } from './limits.ts';
import { dot } from './vectors.ts';

/** When a capsule goes, and when two are one. */
export interface ConsolidationRule {
  /** Kept for so long and used fewer than `keepUsesMin` times; Infinity: none expires. */
  readonly expireAfterMs: number;
  readonly keepUsesMin: number;
  /** 0 to 1; above 1 none is merged. */
  readonly mergeCosineMin: number;
}
/** Near-equal capsules of this device, the newest and what it takes in. */
export interface Merge {
  readonly newest: Held;
  readonly others: readonly Held[];
  readonly tags: readonly string[];
  readonly relations: readonly Relation[];
}

/** Who looked at it too seldom, for too long. Foreign ones too: they are dropped, never changed. */
export function expired(holdings: Holdings, rule: ConsolidationRule, nowMs: number): readonly Held[] {
  return holdings
    .ordered()
    .filter(({ keptSinceMs, uses }) => nowMs - keptSinceMs > rule.expireAfterMs && uses < rule.keepUsesMin);
}

/**
 * Which of this device's capsules become one: those of the same embedder, level and media type with near-equal vectors. The newest that is in no
 * group yet takes in all near it, newest first, whose tags and relations fit beside its own. Two that are left cannot be merged afterwards: they are
 * too far apart, or do not fit, and both only grow. So a second run finds nothing.
 */
export async function merges(
  holdings: Holdings,
  { mergeCosineMin }: ConsolidationRule,
  clock: Clock,
  signal: AbortSignal,
  told: (compared: number, all: number) => void = () => undefined,
): Promise<readonly Merge[]> {
  const found: Merge[] = [];
  const groups = [...holdings.groups()].map((group) => [group, kinds(group)] as const);
  const all = groups.flatMap(([, alikes]) => alikes).reduce((sum, { length }) => sum + length, 0);
  let compared = 0;
  const turn = createTurnTaker(clock, signal);
  for (const [group, alikes] of groups) {
    for (const alike of alikes) {
      const rows = alike.map((held) => shorten(group, held));
      const open = new Set(rows);
      for (const row of rows) {
        told((compared += 1), all);
        if (!open.delete(row)) continue;
        const merge = new Growing(row.held);
        for (const other of open) {
          const pause = turn();
          if (pause !== undefined) await pause;
          if (isNear(group, row, other, mergeCosineMin) && merge.takeIn(other.held)) open.delete(other);
        }
        if (merge.others.length > 0) found.push(merge);
      }
    }
  }
  return found;
}

/** This device's capsules of a group by level and media type, the newest first. */
function kinds(group: Group): readonly (readonly Held[])[] {
  const mine = group.held
    .filter((held) => held.mine && held.of === undefined)
    .sort((a, b) => byNewest(a.facts, b.facts));
  return [...Map.groupBy(mine, ({ facts }) => `${facts.level} ${facts.mediaType}`).values()];
}

/** The first values of a vector, and how long what is behind them is: enough to see of most pairs that they are far apart. */
interface Row {
  readonly held: Held;
  readonly head: Float32Array;
  readonly restNorm: number;
}
const headDimensions = 32;

function shorten({ table }: Group, held: Held): Row {
  const vector = table.row(held.place);
  const rest = vector.subarray(headDimensions);
  return { held, head: vector.slice(0, headDimensions), restNorm: Math.sqrt(dot(rest, 0, rest)) };
}

/** Rounding must not rule out a pair that the whole product would let through. */
const headSlack = 1e-6;

/** What was forgotten meanwhile compares as anything; whoever merges looks whether all are still there. */
function isNear({ table }: Group, a: Row, b: Row, cosineMin: number): boolean {
  // Cauchy-Schwarz: the rests add at most the product of their lengths.
  if (dot(a.head, 0, b.head) + a.restNorm * b.restNorm < cosineMin - headSlack) return false;
  return table.cosine(a.held.place, table.row(b.held.place)) >= cosineMin;
}

class Growing implements Merge {
  readonly newest: Held;
  readonly others: Held[] = [];
  tags: readonly string[];
  relations: readonly Relation[];

  constructor(newest: Held) {
    this.newest = newest;
    this.tags = newest.facts.tags;
    this.relations = tidyRelations([...newest.facts.relations, { kind: 'replaces', capsule: newest.facts.id }]);
  }

  /** False when the tags or relations of both do not fit into one. */
  takeIn(other: Held): boolean {
    const tags = tidyTags([...this.tags, ...other.facts.tags]);
    const relations = tidyRelations([
      ...this.relations,
      ...other.facts.relations,
      { kind: 'replaces', capsule: other.facts.id },
    ]);
    if (tags.length > limits.capsuleTagsMax || relations.length > limits.capsuleRelationsMax) return false;
    this.others.push(other);
    [this.tags, this.relations] = [tags, relations];
    return true;
  }
}

/** Lets others have the thread now and then. Throws ABORTED. */
function createTurnTaker(clock: Clock, signal: AbortSignal): () => Promise<void> | undefined {
  let left: number = limits.pairsPerTurn;
  return () => {
    left -= 1;
    if (left > 0) return undefined;
    left = limits.pairsPerTurn;
    return clock.sleep(0, signal);
  };
}
