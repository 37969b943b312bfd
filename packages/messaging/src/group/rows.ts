import { type Key, type PeerId, wire } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/**
 * How the room of groups looks: `group/<id>` a group · `out/<place>` letters on their way to the messenger · `park/<group>/<sender>/<epoch>-<place>` letters
 * that came before the change they belong to · `keys/<peer>/<ref>` key packages handed out · `sent/<id>` what became of a message; ids rise.
 */
const hex = (value: number): string => value.toString(16).padStart(14, '0');
export const groupKey = (id: string): Key => `group/${id}`;
export const outKey = (place: number): Key => `out/${hex(place)}`;
export const parkKey = (group: string, sender: PeerId, epoch: bigint, place: number): Key =>
  `park/${group}/${sender}/${epoch.toString(16).padStart(16, '0')}-${hex(place)}`;
export const keysKey = (peer: PeerId, ref: string): Key => `keys/${peer}/${ref}`;
export const sentKey = (id: string): Key => `sent/${id}`;
/** A message's id begins with its place in line, so that the oldest reports are the first rows. */
export const messageId = (place: number, tail: string): string => hex(place) + tail.slice(0, 18);
export const placeOf = (key: Key): number => Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 16);

export const groupCodec = wire.message({
  /** ts-mls's own form. */
  state: wire.bytes(1),
  /** Letters of this group that this peer has sent. */
  sent: wire.uint53(2),
  /** The last place taken from each other member. */
  taken: wire.repeated(
    wire.nested(3, wire.message({ peer: wire.string(1), place: wire.uint53(2) })),
    limits.membersMax,
  ),
  /** Members that asked to be let out and still are in. */
  leaving: wire.repeated(wire.string(4), limits.membersMax),
});
export const outCodec = wire.message({
  group: wire.string(1),
  place: wire.uint53(2),
  type: wire.oneOf(3, ['welcome', 'mls', 'leave']),
  data: wire.bytes(4),
  to: wire.repeated(wire.string(5), limits.membersMax),
  /** The message whose report is to be written. */
  message: wire.optional(wire.string(6)),
});
export type OutRow = ReturnType<typeof outCodec.decode>;
export const parkCodec = wire.message({ data: wire.bytes(1), place: wire.uint53(2), atMs: wire.uint53(3) });
export const keysCodec = wire.message({
  message: wire.bytes(1),
  initPrivateKey: wire.bytes(2),
  hpkePrivateKey: wire.bytes(3),
  atMs: wire.uint53(4),
});
export const sentCodec = wire.message({
  group: wire.string(1),
  atMs: wire.uint53(2),
  to: wire.repeated(
    wire.nested(
      3,
      wire.message({
        peer: wire.string(1),
        letter: wire.optional(wire.string(2)),
        code: wire.optional(wire.string(3)),
      }),
    ),
    limits.membersMax,
  ),
});
