import type { CapsuleId } from './capsule.ts';

/** Finds the nearest of many vectors without looking at each; it may miss some. Labels are whole numbers its user gives. */
export interface VectorIndex {
  /** @param vectors - as many rows as labels, side by side. */
  add(labels: readonly number[], vectors: Float32Array): void;
  remove(label: number): void;
  /** How far the cosines it gives may be from the true ones; it cannot tell rows apart that are nearer to each other than that. */
  readonly errorMax: number;
  /** The nearest by cosine as it sees them, the nearest first; fewer when it has fewer. Of rows and a vector of length 1, or 0. */
  search(vector: Float32Array, count: number): Nearest;
}
/** What an index found, side by side. */
export interface Nearest {
  readonly labels: readonly number[];
  /** As the index reckons them, within its `errorMax`. */
  readonly cosines: readonly number[];
}
/** An index with whose capsule each label is. */
export interface SavedIndex {
  readonly index: VectorIndex;
  readonly ids: ReadonlyMap<number, CapsuleId>;
}
/** Where indexes come from, and where they lie while nobody uses them. They are never the truth: one that is lost is made again. */
export interface VectorIndexes {
  /** Throws ENGINE_MISSING. */
  create(dimensions: number): Promise<VectorIndex>;
  /** Undefined when there is none, or it is damaged. */
  load(name: string, dimensions: number): Promise<SavedIndex | undefined>;
  save(name: string, saved: SavedIndex): Promise<void>;
}
