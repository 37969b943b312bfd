import { compareUtf8 } from '@peerai/core-protocol';

import type { Accelerator } from './accelerator.ts';
import type { CapsuleCard, CapsuleFacts, CapsuleId } from './capsule.ts';
import type { EmbedderKind } from './embedder.ts';
import type { OpenedCapsule } from './signed-capsule.ts';
import type { MadeVector } from './rows.ts';
import { VectorTable } from './vectors.ts';

/** One capsule in memory: everything but its data. */
export interface Held {
  readonly facts: CapsuleFacts;
  readonly mine: boolean;
  readonly keptSinceMs: number;
  /** Of its sealed row. */
  readonly rowBytes: number;
  readonly group: Group;
  /** Of its vector in the group's table. */
  place: number;
  uses: number;
  /** The capsule, where this is a vector that was made here beside its own. */
  readonly of: Held | undefined;
  /** The vectors that were made here beside its own, at most one of each kind. */
  made: readonly Held[] | undefined;
}
/** The capsules of one embedder; only their vectors are compared. */
export interface Group {
  readonly space: VectorSpace;
  readonly table: VectorTable;
  /** By place. */
  readonly held: Held[];
  /** Nothing in the group has more, or is newer: bounds for what was not looked at. */
  qualityMax: number;
  newestMs: number;
  accelerator?: Accelerator;
}
/** Gives a large group its accelerator; undefined for one that is better without. */
export type Accelerate = (group: Group) => Accelerator | undefined;
interface Totals {
  capsules: number;
  bytes: number;
}

/** What names the space in which vectors are compared. */
export interface VectorSpace {
  readonly name: string;
  readonly dimensions: number;
  readonly kind: EmbedderKind;
}
export const groupKey = ({ name, dimensions, kind }: VectorSpace): string => `${kind}/${dimensions}/${name}`;

const newGroup = (space: VectorSpace): Group => ({
  space,
  table: new VectorTable(space.dimensions),
  held: [],
  qualityMax: 0,
  newestMs: 0,
});

export function cardOf(held: Held): CapsuleCard {
  const { facts, mine, keptSinceMs, uses } = held.of ?? held;
  return { ...facts, mine, keptSinceMs, uses };
}

/**
 * Reads a little of each capsule, the same of all one after the other, and gives nothing that means anything. In a large memory each first read of a
 * capsule takes as long as a hundred steps of a program: in loops as short as these the processor waits for many at a time, in what makes a card for one.
 */
export function touch(all: readonly Held[]): number {
  let sum = 0;
  for (let index = 0; index < all.length; index += 1) sum += (all[index] as Held).uses;
  for (let index = 0; index < all.length; index += 1) sum += (all[index] as Held).facts.dataBytes;
  for (let index = 0; index < all.length; index += 1) {
    const { createdMs, quality, novelty, importance } = (all[index] as Held).facts;
    sum += createdMs + quality + novelty + importance;
  }
  return sum;
}

/** Has the capsule a vector in this space? */
export const isIn = (held: Held, { name, dimensions, kind }: VectorSpace): boolean =>
  [held, ...(held.made ?? [])].some(({ group: { space } }) => {
    return space.name === name && space.dimensions === dimensions && space.kind === kind;
  });

const madeBytes = ({ group }: Held): number => group.space.dimensions * Float32Array.BYTES_PER_ELEMENT;

/** Newest first, then by id. */
export const byNewest = (
  a: Pick<CapsuleFacts, 'createdMs' | 'id'>,
  b: Pick<CapsuleFacts, 'createdMs' | 'id'>,
): number => b.createdMs - a.createdMs || compareUtf8(a.id, b.id);

/** What a memory holds, as it was last committed. */
export class Holdings {
  readonly #byId = new Map<CapsuleId, Held>();
  readonly #groups = new Map<string, Group>();
  /** Ids of the capsules that a held one replaced. */
  readonly #replaced = new Map<CapsuleId, number>();
  #ordered: readonly Held[] | undefined;
  #accelerate: Accelerate | undefined;
  readonly all: Totals = { capsules: 0, bytes: 0 };
  readonly foreign: Totals = { capsules: 0, bytes: 0 };
  /** Of the vectors that were made here. */
  madeBytes = 0;

  get(id: CapsuleId): Held | undefined {
    return this.#byId.get(id);
  }

  isReplaced(id: CapsuleId): boolean {
    return this.#replaced.has(id);
  }

  groups(): Iterable<Group> {
    return this.#groups.values();
  }

  group(space: VectorSpace): Group | undefined {
    return this.#groups.get(groupKey(space));
  }

  /** Newest first. */
  ordered(): readonly Held[] {
    this.#ordered ??= [...this.#byId.values()].sort((a, b) => byNewest(a.facts, b.facts));
    return this.#ordered;
  }

  put({ facts, body }: OpenedCapsule, kept: Pick<Held, 'mine' | 'keptSinceMs' | 'rowBytes' | 'uses'>): void {
    const { embedder, embedderKind: kind, vector } = body;
    const held = this.#enter({ facts, ...kept, of: undefined, made: undefined }, { embedder, kind, vector });
    this.#byId.set(facts.id, held);
    this.#count(held, 1);
  }

  /** A vector that was made here beside the capsule's own, in place of one of the same kind; nothing where the capsule is gone, or has this embedder's. */
  putMade(id: CapsuleId, made: MadeVector): void {
    const of = this.#byId.get(id);
    const space = { name: made.embedder, dimensions: made.vector.length, kind: made.kind };
    if (of === undefined || isIn(of, space)) return;
    const { facts, mine, keptSinceMs } = of;
    for (const one of of.made ?? []) if (one.group.space.kind === made.kind) this.#leave(one);
    const others = (of.made ?? []).filter((one) => one.group.space.kind !== made.kind);
    const held = this.#enter({ facts, mine, keptSinceMs, rowBytes: 0, uses: 0, of, made: undefined }, made);
    of.made = [...others, held];
    this.madeBytes += madeBytes(held);
  }

  drop(id: CapsuleId): void {
    const held = this.#byId.get(id);
    if (held === undefined) return;
    for (const one of held.made ?? []) this.#leave(one);
    this.#leave(held);
    this.#byId.delete(id);
    this.#count(held, -1);
  }

  #enter(parts: Omit<Held, 'group' | 'place'>, { embedder, kind, vector }: MadeVector): Held {
    const space = { name: embedder, dimensions: vector.length, kind };
    const group = this.group(space) ?? newGroup(space);
    this.#groups.set(groupKey(space), group);
    const held: Held = { ...parts, group, place: group.table.count };
    group.table.add(vector);
    group.held.push(held);
    group.qualityMax = Math.max(group.qualityMax, held.facts.quality);
    group.newestMs = Math.max(group.newestMs, held.facts.createdMs);
    if (group.accelerator === undefined) this.#speedUp(group);
    else group.accelerator.put(held);
    return held;
  }

  #leave(held: Held): void {
    const { group, place } = held;
    group.accelerator?.drop(held);
    group.table.remove(place);
    const last = group.held.pop();
    if (last !== undefined && last !== held) {
      group.held[place] = last;
      last.place = place;
    }
    if (group.held.length === 0) this.#groups.delete(groupKey(group.space));
    if (held.of !== undefined) this.madeBytes -= madeBytes(held);
  }

  /** From now on large groups get an accelerator. */
  accelerateWith(accelerate: Accelerate): void {
    this.#accelerate = accelerate;
    for (const group of this.#groups.values()) this.#speedUp(group);
  }

  #speedUp(group: Group): void {
    const accelerator = this.#accelerate?.(group);
    if (accelerator !== undefined) group.accelerator = accelerator;
  }

  #count({ mine, rowBytes, facts }: Held, sign: 1 | -1): void {
    for (const totals of mine ? [this.all] : [this.all, this.foreign]) {
      totals.capsules += sign;
      totals.bytes += sign * rowBytes;
    }
    for (const { kind, capsule } of facts.relations) {
      if (kind !== 'replaces' || !mine) continue;
      const count = (this.#replaced.get(capsule) ?? 0) + sign;
      if (count === 0) this.#replaced.delete(capsule);
      else this.#replaced.set(capsule, count);
    }
    this.#ordered = undefined;
  }
}
