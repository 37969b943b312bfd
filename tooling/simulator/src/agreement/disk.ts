import { compareUtf8, isAsExpected, type Store, storeChanged } from '@peerai/core-protocol';

type Rows = readonly { readonly key: string; readonly value: Uint8Array | undefined }[];

/** One file of rows that outlives its process. */
export interface RowDisk {
  readonly store: Store;
  write(rows: Rows): void;
  get(key: string): Uint8Array | undefined;
}

/** As much of the Store port as a member reads when it starts. */
export function createRowDisk(): RowDisk {
  const rows = new Map<string, Uint8Array>();
  const write = (changes: Rows): void => {
    for (const { key, value } of changes)
      if (value === undefined) rows.delete(key);
      else rows.set(key, value);
  };
  const store: Store = {
    get: async (key) => rows.get(key),
    async *range(from, to) {
      for (const key of [...rows.keys()].toSorted(compareUtf8))
        if (compareUtf8(key, from) >= 0 && compareUtf8(key, to) < 0)
          yield { key, value: rows.get(key) ?? new Uint8Array() };
    },
    put: (key, value) => ({ key, value }),
    commit: async (changes) => {
      if (!changes.every((change) => isAsExpected(change, rows.get(change.key)))) throw storeChanged();
      write(changes);
    },
    room: () => store,
  };
  return { store, write, get: (key) => rows.get(key) };
}
