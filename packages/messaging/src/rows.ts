import {
  type Key,
  type MessagePriority,
  parsePeerId,
  type PeerId,
  type Row,
  type Store,
  wire,
} from '@peerai/core-protocol';

/**
 * How a messenger's room looks: `out/<peer>/<place>` letters that wait, in order within the band of their priority · `id/<message>` where a message of ours stands ·
 * `done/<place>` messages that are through, oldest first · `in/<sender>/<message>` letters that were handled · `expiry/<time>/<sender>/<message>` when
 * that may be forgotten.
 */
const hex = (value: number): string => value.toString(16).padStart(14, '0');
/** A place's first figures say its priority. Those without one were written before there were any. */
const bandPlaces = 2 ** 48;
const bands: readonly MessagePriority[] = ['normal', 'high', 'low'];
export const outKey = (peer: PeerId, place: number, priority: MessagePriority = 'normal'): Key =>
  `out/${peer}/${hex(place + bands.indexOf(priority) * bandPlaces)}`;
export const outPlaceOf = (key: Key): number => placeOf(key) % bandPlaces;
export const priorityOf = (key: Key): MessagePriority => bands[Math.floor(placeOf(key) / bandPlaces)] ?? 'normal';
/** Bounds of all letters of one priority for one peer. */
export const outBand = (peer: PeerId, priority: MessagePriority): readonly [Key, Key] => [
  outKey(peer, 0, priority),
  outKey(peer, bandPlaces - 1, priority),
];
export const idKey = (id: string): Key => `id/${id}`;
export const doneKey = (place: number): Key => `done/${hex(place)}`;
export const markKey = (sender: PeerId, id: string): Key => `in/${sender}/${id}`;
export const expiryKey = (expiresMs: number, sender: PeerId, id: string): Key =>
  `expiry/${hex(expiresMs)}/${sender}/${id}`;
/** Bounds of everything below a path; `0` follows `/`. */
export const under = (path: string): readonly [Key, Key] => [`${path}/`, `${path}0`];
export const expiredBefore = (timeMs: number): readonly [Key, Key] => ['expiry/', `expiry/${hex(Math.max(0, timeMs))}`];
/** The number at the end of an `out` or `done` key. */
export const placeOf = (key: Key): number => Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 16);
/** Sender and message of an `expiry` key. */
export function markOf(key: Key): { readonly sender: PeerId; readonly id: string } {
  const [, , sender = '', id = ''] = key.split('/');
  return { sender: parsePeerId(sender), id };
}

/** A letter that waits; it is signed anew for each attempt, so its time is always that of the attempt. */
export const outCodec = wire.message({
  id: wire.string(1),
  kind: wire.string(2),
  /** The payload's JSON text. */
  content: wire.string(3),
  sentMs: wire.uint53(4),
  expiresMs: wire.uint53(5),
});
export type OutRow = ReturnType<typeof outCodec.decode>;

const states = ['queued', 'delivered', 'refused', 'expired'] as const;
export type DeliveryState = (typeof states)[number];
/** How a message got there: over a live link, by HTTP, by a mailbox, or through other peers. For one that is queued `mailbox`: a copy lies there. */
const paths = ['link', 'http', 'mailbox', 'route'] as const;
export type DeliveryPath = (typeof paths)[number];
export const statusCodec = wire.message({
  to: wire.string(1),
  kind: wire.string(2),
  state: wire.oneOf(3, states),
  code: wire.optional(wire.string(4)),
  atMs: wire.uint53(5),
  path: wire.optional(wire.oneOf(6, paths)),
});

/** What became of a letter that was handled: nothing more to say, it was taken. */
export const takenMark = Uint8Array.of(1);

export async function collect(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
export async function firstRow(store: Store, path: string, reverse = false): Promise<Row | undefined> {
  const [row] = await collect(store.range(...under(path), { limit: 1, reverse }));
  return row;
}
