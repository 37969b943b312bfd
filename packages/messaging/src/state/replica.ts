import { PeerAiError } from '@peerai/core-protocol';
import {
  applyUpdate,
  ContentAny,
  ContentDeleted,
  ContentString,
  decodeUpdate,
  Doc,
  encodeStateAsUpdate,
  encodeStateVector,
  GC,
  getState,
  Item,
} from 'yjs';
import { utf8 } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** The two roots of a document: values under keys, and one text. */
const roots = ['map', 'text'];

/**
 * An update of one author: changes under its own numbers only, deletions of anything, texts and JSON values in our two roots and nothing else. Counts
 * are read by going through them, so that none makes the library take memory. Throws INVALID_FORMAT, REFUSED (changes in another's name).
 */
export function checkUpdate(update: Uint8Array, clients: ReadonlySet<number>): void {
  const { structs } = decoded(update);
  for (const struct of structs) {
    if (!clients.has(struct.id.client)) {
      throw new PeerAiError('REFUSED', 'the entry speaks for somebody else than its author');
    }
    const end = struct.id.clock + struct.length;
    if (!Number.isSafeInteger(end) || struct.length < 1) throw malformed();
    if (struct instanceof GC) continue;
    if (!(struct instanceof Item) || !isOurs(struct)) throw malformed();
  }
}

function decoded(update: Uint8Array): ReturnType<typeof decodeUpdate> {
  try {
    return decodeUpdate(update);
  } catch (cause) {
    throw malformed(cause);
  }
}
const malformed = (cause?: unknown): PeerAiError =>
  new PeerAiError('INVALID_FORMAT', 'the entry holds no update of a document', {}, { cause });

function isOurs({ parent, parentSub, content, origin, rightOrigin }: Item): boolean {
  const isRooted = typeof parent === 'string' && roots.includes(parent);
  if (!isRooted && origin === null && rightOrigin === null) return false;
  if (!isRooted && parent !== null) return false;
  if (parentSub !== null && utf8(parentSub).length > limits.keyBytesMax) return false;
  if (content instanceof ContentAny) return content.arr.length === 1 && typeof content.arr[0] === 'string';
  return content instanceof ContentString || content instanceof ContentDeleted;
}

/** What one step changed, for whoever watches. */
export interface Changed {
  readonly keys: readonly string[];
  readonly text: boolean;
}
/** The document as this peer sees it: Yjs (MIT) with one map and one text. */
export interface Replica {
  /** An update that was checked. Throws INVALID_FORMAT; then this replica is to be thrown away. */
  apply(update: Uint8Array): Changed;
  /** Our own change under our number; nothing where it changes nothing. */
  write(
    client: number,
    change: (parts: Parts) => void,
  ): { readonly update: Uint8Array; readonly changed: Changed } | undefined;
  /** JSON text under a key. */
  get(key: string): string | undefined;
  entries(): readonly (readonly [key: string, json: string])[];
  text(): string;
  /** All changes under these numbers as one update, deleted contents left out; nothing while something waits for others' changes. */
  snapshot(clients: ReadonlySet<number>): Uint8Array | undefined;
}
export interface Parts {
  set(key: string, json: string): void;
  remove(key: string): void;
  /** Makes the text this one by the smallest single replacement. */
  retext(text: string): void;
}

export function createReplica(): Replica {
  const document = new Doc({ guid: 'state' });
  const map = document.getMap<unknown>('map');
  const text = document.getText('text');
  let seen = { keys: new Set<string>(), text: false };
  map.observe(({ keysChanged }) => {
    for (const key of keysChanged) seen.keys.add(key);
  });
  text.observe(() => {
    seen.text = true;
  });
  const taken = (): Changed => {
    const changed = { keys: [...seen.keys].toSorted(), text: seen.text };
    seen = { keys: new Set(), text: false };
    return changed;
  };
  const jsonOf = (value: unknown): string | undefined =>
    typeof value === 'string' && isJson(value) ? value : undefined;
  const parts: Parts = {
    set: (key, json) => {
      if (map.get(key) !== json) map.set(key, json);
    },
    remove: (key) => {
      if (map.has(key)) map.delete(key);
    },
    retext: (wanted) => {
      const { at, removed, inserted } = difference(text.toJSON(), wanted);
      if (removed > 0) text.delete(at, removed);
      if (inserted !== '') text.insert(at, inserted);
    },
  };
  return {
    apply: (update) => {
      try {
        applyUpdate(document, update);
      } catch (cause) {
        throw malformed(cause);
      }
      return taken();
    },
    write: (client, change) => {
      let update: Uint8Array | undefined;
      const hear = (bytes: Uint8Array): void => {
        update = bytes;
      };
      document.clientID = client;
      document.on('update', hear);
      document.transact(() => change(parts));
      document.off('update', hear);
      const changed = taken();
      return update === undefined ? undefined : { update, changed };
    },
    get: (key) => jsonOf(map.get(key)),
    entries: () =>
      [...map.entries()]
        .flatMap(([key, value]) => {
          const json = jsonOf(value);
          return json === undefined ? [] : [[key, json] as const];
        })
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    text: () => text.toJSON(),
    snapshot: (clients) => {
      if (document.store.pendingStructs !== null || document.store.pendingDs !== null) return undefined;
      const others = [...document.store.clients.keys()].filter((client) => !clients.has(client));
      const known = new Map(others.map((client) => [client, getState(document.store, client)]));
      return encodeStateAsUpdate(document, encodeStateVector(known));
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The one replacement that makes a text another: what both begin and end with stays, and no character is cut in half. */
function difference(before: string, after: string): { at: number; removed: number; inserted: string } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  if (start > 0 && isHighHalf(before.charCodeAt(start - 1))) start -= 1;
  let end = 0;
  while (
    end < shorter - start &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  )
    end += 1;
  if (end > 0 && isLowHalf(before.charCodeAt(before.length - end))) end -= 1;
  return { at: start, removed: before.length - start - end, inserted: after.slice(start, after.length - end) };
}
const isHighHalf = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
const isLowHalf = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;
