export type Key = string;
export interface Row {
  readonly key: Key;
  readonly value: Uint8Array;
}
export interface Change {
  readonly key: Key;
  readonly value: Uint8Array | undefined;
  /**
   * What the row has to hold when this commit's turn comes, no value: that there is no row. Otherwise the whole commit is refused, so that
   * one can be asked for before the commit that it builds on is on disk.
   */
  readonly expected?: { readonly value: Uint8Array | undefined };
}

/**
 * Ordered bytes that survive a crash: one file, one writer, group commit.
 * Keys are Unicode text without NUL, at most 512 UTF-8 bytes, ordered by their UTF-8 bytes; a value is at most 16 MiB.
 */
export interface Store {
  get(key: Key): Promise<Uint8Array | undefined>;
  /** A snapshot in key order, `from` inclusive, `to` exclusive. */
  range(from: Key, to: Key, options?: { readonly reverse?: boolean; readonly limit?: number }): AsyncIterable<Row>;
  /** A change for `commit`; without a value it deletes. Pure. Its key is already the room's, so rooms can share a commit. */
  put(key: Key, value?: Uint8Array): Change;
  /**
   * All or nothing, in the order of the calls, on disk when it resolves. What changes expect is looked at before any of them.
   * Throws STORE_CHANGED where a row is not as expected; STORE_FULL; STORE_BROKEN, then refuses until reopened.
   */
  commit(changes: readonly Change[]): Promise<void>;
  /** The same file seen from one room; changes of several rooms may share a commit. */
  room(name: string): Store;
}
