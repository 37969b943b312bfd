import { type Change, fromUtf8, type Store, utf8 } from '@peerai/core-protocol';

/** JSON values of one shape under one prefix of a room. */
export interface Records<T> {
  get(id: string): Promise<T | undefined>;
  all(): AsyncIterable<readonly [id: string, value: T]>;
  /** For `commit`, alone or with others. */
  put(id: string, value: T): Change;
  remove(id: string): Change;
}

export function records<T>(room: Store, prefix: string): Records<T> {
  return {
    async get(id) {
      const bytes = await room.get(`${prefix}/${id}`);
      return bytes === undefined ? undefined : (parse(bytes) as T);
    },
    async *all() {
      // '0' is the character after '/': the range holds every key of this prefix and no other.
      for await (const { key, value } of room.range(`${prefix}/`, `${prefix}0`)) {
        yield [key.slice(prefix.length + 1), parse(value) as T];
      }
    },
    put: (id, value) => room.put(`${prefix}/${id}`, utf8(JSON.stringify(value))),
    remove: (id) => room.put(`${prefix}/${id}`),
  };
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(fromUtf8(bytes));
}
