import type { Change, Key, Row, Store } from '@peerai/core-protocol';
import { checkKey, checkPath, checkValue, rowKey } from './row-key.ts';

interface RangeOptions {
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** What lies below a store's rooms: one space of byte keys. */
export interface Rows {
  get(row: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined>;
  /** `from` inclusive, `to` exclusive; at most `limit` rows, -1 for all. */
  range(
    from: Uint8Array<ArrayBuffer>,
    to: Uint8Array<ArrayBuffer>,
    reverse: boolean,
    limit: number,
  ): AsyncIterable<Row>;
  commit(changes: readonly Change[]): Promise<void>;
}

/** A room of `rows`; the root's path is ''. */
export function storeView(rows: Rows, path = ''): Store {
  return {
    get: async (key) => rows.get(rowKey(path, checkKey(key))),
    range: (from: Key, to: Key, options: RangeOptions = {}) =>
      rows.range(rowKey(path, from), rowKey(path, to), options.reverse === true, options.limit ?? -1),
    put(key, value) {
      checkKey(key);
      checkValue(value);
      return { key: path + key, value };
    },
    commit: async (changes) => rows.commit(changes),
    room: (name) => storeView(rows, checkPath(`${path}${checkKey(name)}\0`)),
  };
}
