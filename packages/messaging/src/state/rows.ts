import { type Key, type PeerId, wire } from '@peerai/core-protocol';
import { markCodec } from './entry.ts';
import { limits } from './limits.ts';

/**
 * How the room of replicated state looks: `charter/<id>` a document · `log/<id>/<author>/<life>/<place>` its signed entries · `posted/<id>/<peer>` our own
 * entries that went to a peer by letter · `forgotten/<id>` a document given up here, with the time.
 */
const hex = (value: number): string => value.toString(16).padStart(14, '0');
export const charterKey = (id: string): Key => `charter/${id}`;
export const logKey = (id: string, author: PeerId, life: number, place: number): Key =>
  `log/${id}/${author}/${hex(life)}/${hex(place)}`;
export const postedKey = (id: string, peer: PeerId): Key => `posted/${id}/${peer}`;
export const forgottenKey = (id: string): Key => `forgotten/${id}`;
export const postedCodec = wire.message({ marks: wire.repeated(wire.nested(1, markCodec), limits.livesMax) });
export const forgottenCodec = wire.message({ atMs: wire.uint53(1) });
