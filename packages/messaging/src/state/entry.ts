import {
  type CryptoProvider,
  fromHex,
  type Identity,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  sealSigned,
  toHex,
  wire,
} from '@peerai/core-protocol';
import { limits } from './limits.ts';

const tag = 'peerai/state/entry/1';
export const markCodec = wire.message({ life: wire.uint53(1), place: wire.uint53(2) });
const codec = wire.message({
  document: wire.bytes(1),
  life: wire.uint53(2),
  place: wire.uint53(3),
  covers: wire.repeated(wire.nested(4, markCodec), limits.livesMax),
  update: wire.bytes(5),
});

/** The place up to which something is said of one life of an author. */
export interface Mark {
  readonly life: number;
  readonly place: number;
}
/** One change of a document, signed by its author; anybody may hand it on. */
export interface Entry {
  /** The document's id. */
  readonly document: string;
  readonly author: PeerId;
  readonly life: number;
  /** Counts the author's entries of this life from 0. */
  readonly place: number;
  /** Entries of the author that this one replaces; none where it is a change like any other. */
  readonly covers: readonly Mark[];
  /** A Yjs update, version 1, of this author's own changes. */
  readonly update: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Throws LIMIT_EXCEEDED. */
export function signEntry(identity: Identity, draft: Omit<Entry, 'author' | 'bytes'>): Entry {
  const bytes = sealSigned(identity, tag, codec.encode({ ...draft, document: fromHex(draft.document) }));
  if (bytes.length > limits.entryBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `one change has at most ${limits.entryBytesMax} bytes`);
  }
  return { ...draft, author: identity.peer, bytes };
}

/** Throws INVALID_FORMAT, INVALID_SIGNATURE, LIMIT_EXCEEDED. The update inside is not looked at. */
export function openEntry(crypto: CryptoProvider, bytes: Uint8Array): Entry {
  if (bytes.length > limits.entryBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `one change has at most ${limits.entryBytesMax} bytes`);
  }
  const { body, signer } = openSigned(crypto, tag, bytes);
  const { document, ...rest } = codec.decode(body);
  if (document.length !== 16) throw new PeerAiError('INVALID_FORMAT', 'an entry names its document by 16 bytes');
  return { ...rest, document: toHex(document), author: peerIdFromPublicKey(signer), bytes };
}
