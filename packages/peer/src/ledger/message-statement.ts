import { type CryptoProvider, type EntryBody, utf8, wire } from '@peerai/core-protocol';

/** Kind of an entry that says: a message was delivered. */
export const messageKind = 'message';
const directions = ['sent', 'received'] as const;
const body = wire.message({
  version: wire.uint32(1),
  direction: wire.oneOf(2, directions),
  /** 32 bytes. */
  hash: wire.bytes(3),
});
export type MessageStatement = ReturnType<typeof body.decode>;

export const messageEntry = (direction: MessageStatement['direction'], hash: Uint8Array): EntryBody => ({
  kind: messageKind,
  body: body.encode({ version: 1, direction, hash }),
});
/** Throws INVALID_FORMAT. */
export const readMessageEntry = (bytes: Uint8Array): MessageStatement => body.decode(bytes);

/** What both sides know of a message. */
export interface MessageFacts {
  /** 128 random bits of the sender's: nobody else can try texts against the hash. */
  readonly id: string;
  /** Peer ids. */
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly payload: unknown;
}
const tag = utf8('peerai/message/1\0');
const facts = wire.message({
  id: wire.string(1),
  from: wire.string(2),
  to: wire.string(3),
  kind: wire.string(4),
  /** JSON text of the payload. */
  content: wire.string(5),
});

/** SHA-256(tag ‖ facts): the same on both sides, and nothing of the text or of who wrote to whom can be read from it. */
export function messageHash(
  crypto: Pick<CryptoProvider, 'sha256'>,
  { id, from, to, kind, payload }: MessageFacts,
): Uint8Array {
  const content = JSON.stringify(payload) ?? 'null';
  return crypto.sha256(tag, facts.encode({ id, from, to, kind, content }));
}
