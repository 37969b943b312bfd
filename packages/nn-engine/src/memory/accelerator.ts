import { type Clock, PeerAiError } from '@peerai/core-protocol';

import type { CapsuleId } from './capsule.ts';
import type { Group, Held } from './holdings.ts';
import { memoryLimits as limits } from './limits.ts';
import type { VectorIndex, VectorIndexes } from './vector-index.ts';

export interface IndexState {
  readonly embedder: string;
  /** Rows in the index, and how many there are in all. */
  readonly indexed: number;
  readonly rows: number;
  readonly phase: 'building' | 'ready' | 'failed';
  /** A code, when it failed; searches look at every row then. */
  readonly reason?: string;
}

/** What an index knows of a vector's neighbours. */
interface NearRows {
  /** Nearest first as the index sees them, and how near it says they are, give or take `errorMax`. */
  readonly found: readonly Held[];
  readonly cosines: readonly number[];
  readonly errorMax: number;
  /** Not in it yet. */
  readonly rest: Iterable<Held>;
}

interface AcceleratorDeps {
  readonly indexes: VectorIndexes;
  readonly clock: Clock;
  /** Under which it is saved. */
  readonly name: string;
  /** Ends its work. */
  readonly signal: AbortSignal;
}

/** Keeps an index beside a group's table: what is new waits in a queue, what is dropped leaves at once. */
export class Accelerator {
  readonly #deps: AcceleratorDeps;
  readonly #group: Group;
  readonly #waiting: Set<Held>;
  readonly #labels = new Map<Held, number>();
  /** By label: an array, because a look into a large map is two first reads of memory where this is one. */
  readonly #byLabel: (Held | undefined)[] = [];
  #index: VectorIndex | undefined;
  #nextLabel = 0;
  #isSaved = false;
  #failure: string | undefined;
  #working: Promise<void>;

  constructor(deps: AcceleratorDeps, group: Group) {
    this.#deps = deps;
    this.#group = group;
    this.#waiting = new Set(group.held);
    this.#working = this.#begin().catch((error: unknown) => this.#fail(error));
  }

  put(held: Held): void {
    this.#waiting.add(held);
    this.#isSaved = false;
    if (this.#index !== undefined && this.#failure === undefined && this.#waiting.size === 1)
      this.#working = this.#working.then(() => this.#drain()).catch((error: unknown) => this.#fail(error));
  }

  drop(held: Held): void {
    this.#waiting.delete(held);
    const label = this.#labels.get(held);
    if (label === undefined) return;
    this.#labels.delete(held);
    this.#byLabel[label] = undefined;
    this.#isSaved = false;
    this.#index?.remove(label);
  }

  /** The nearest that are indexed and some to spare, and all that are not; undefined when looking at every row is better. */
  nearest(vector: Float32Array, count: number): NearRows | undefined {
    if (this.#index === undefined || this.#failure !== undefined) return undefined;
    if (this.#waiting.size > limits.indexWaitingRowsMax) return undefined;
    const near = this.#index.search(vector, count + limits.indexSpareRows);
    const [found, cosines]: [Held[], number[]] = [[], []];
    for (let index = 0; index < near.labels.length; index += 1) {
      const held = this.#byLabel[near.labels[index] as number];
      if (held === undefined) continue;
      found.push(held);
      cosines.push(near.cosines[index] as number);
    }
    return { found, cosines, errorMax: this.#index.errorMax, rest: this.#waiting };
  }

  state(): IndexState {
    return {
      embedder: this.#group.space.name,
      indexed: this.#labels.size,
      rows: this.#group.held.length,
      phase: this.#failure === undefined ? (this.#waiting.size === 0 ? 'ready' : 'building') : 'failed',
      ...(this.#failure === undefined ? {} : { reason: this.#failure }),
    };
  }

  /** Resolves when nothing waits any more, or it gave up. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /** Saves what changed since. */
  async save(): Promise<void> {
    if (this.#isSaved || this.#index === undefined || this.#failure !== undefined) return;
    const ids = new Map<number, CapsuleId>([...this.#labels].map(([{ facts }, label]) => [label, facts.id]));
    await this.#deps.indexes.save(this.#deps.name, { index: this.#index, ids });
    this.#isSaved = true;
  }

  async #begin(): Promise<void> {
    const { indexes, name } = this.#deps;
    const { dimensions } = this.#group.space;
    const saved = await indexes.load(name, dimensions);
    if (saved !== undefined) this.#adopt(saved.index, saved.ids);
    this.#index = saved?.index ?? (await indexes.create(dimensions));
    await this.#drain();
    await this.save();
  }

  /** What is in a saved index and still here need not be added; what is gone leaves it. */
  #adopt(index: VectorIndex, ids: ReadonlyMap<number, CapsuleId>): void {
    const byId = new Map([...this.#waiting].map((held) => [held.facts.id, held]));
    this.#isSaved = true;
    for (const [label, id] of ids) {
      this.#nextLabel = Math.max(this.#nextLabel, label + 1);
      const held = byId.get(id);
      if (held === undefined || !this.#waiting.delete(held)) {
        index.remove(label);
        this.#isSaved = false;
      } else this.#note(held, label);
    }
    if (this.#waiting.size > 0) this.#isSaved = false;
  }

  async #drain(): Promise<void> {
    const { clock, signal } = this.#deps;
    const { table } = this.#group;
    while (this.#waiting.size > 0) {
      await clock.sleep(0, signal);
      const some = first(this.#waiting, limits.indexStepRows);
      if (some.length === 0) return;
      const rows = new Float32Array(some.length * table.dimensions);
      some.forEach(({ place }, index) => rows.set(table.row(place), index * table.dimensions));
      const labels = some.map((_, index) => this.#nextLabel + index);
      this.#nextLabel += some.length;
      this.#index?.add(labels, rows);
      some.forEach((held, index) => {
        this.#waiting.delete(held);
        this.#note(held, labels[index] ?? 0);
      });
    }
  }

  #note(held: Held, label: number): void {
    this.#labels.set(held, label);
    this.#byLabel[label] = held;
  }

  #fail(error: unknown): void {
    if (this.#deps.signal.aborted) return;
    this.#failure = PeerAiError.is(error) ? error.code : 'INTERNAL';
  }
}

function first<T>(all: Iterable<T>, count: number): readonly T[] {
  const some: T[] = [];
  for (const one of all) {
    if (some.length >= count) break;
    some.push(one);
  }
  return some;
}
