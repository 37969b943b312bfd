import { type Key, parsePeerId, type PeerId, type Store, wire } from '@peerai/core-protocol';
import { under } from '../rows.ts';

/**
 * A relay's room: `peer/<peer>` who asked for a mailbox, and when it looked last · `box/<peer>/<place>` its letters, in the order they came.
 */
const hex = (place: number): string => place.toString(16).padStart(14, '0');
export const registrationKey = (peer: PeerId): Key => `peer/${peer}`;
export const boxKey = (peer: PeerId, place: number): Key => `box/${peer}/${hex(place)}`;
export const boxRows = (peer: PeerId, from: number): readonly [Key, Key] => [boxKey(peer, from), `box/${peer}0`];

export const registrationCodec = wire.message({ seenMs: wire.uint53(1) });
const mailClasses = ['member', 'stranger'] as const;
/** `member`: the sender has a mailbox at the same relay. */
export type MailClass = (typeof mailClasses)[number];
export const boxCodec = wire.message({
  mailClass: wire.oneOf(1, mailClasses),
  leftMs: wire.uint53(2),
  letter: wire.bytes(3),
});

/** What is at hand of a mailbox: everything but the letters themselves. */
export interface Box {
  seenMs: number;
  nextPlace: number;
  readonly letters: Map<number, { readonly bytes: number; readonly mailClass: MailClass; readonly leftMs: number }>;
}

export async function loadBoxes(store: Store): Promise<Map<PeerId, Box>> {
  const boxes = new Map<PeerId, Box>();
  for await (const { key, value } of store.range(...under('peer'))) {
    const { seenMs } = registrationCodec.decode(value);
    boxes.set(parsePeerId(key.slice('peer/'.length)), { seenMs, nextPlace: 1, letters: new Map() });
  }
  for await (const { key, value } of store.range(...under('box'))) {
    const [, peer = '', place = ''] = key.split('/');
    const box = boxes.get(parsePeerId(peer));
    const { mailClass, leftMs, letter } = boxCodec.decode(value);
    box?.letters.set(Number.parseInt(place, 16), { bytes: letter.length, mailClass, leftMs });
    if (box !== undefined) box.nextPlace = Number.parseInt(place, 16) + 1;
  }
  return boxes;
}
