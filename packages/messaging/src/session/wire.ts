import { PeerAiError, wire } from '@peerai/core-protocol';

const { bytes, message, oneOf, optional, string, uint53 } = wire;

/** Body of `POST /session` and of its answer: a handshake message, or a frame of an open session. */
export const exchangeForm = message({
  /** 16 bytes; absent with the first handshake message alone. Says where to look, proves nothing. */
  session: optional(bytes(1)),
  handshake: optional(bytes(2)),
  frame: optional(bytes(3)),
});
/** Payload of a frame `letter`: the letter as it waits, its real kind inside the seal. */
export const letterForm = message({
  id: string(1),
  kind: string(2),
  /** The payload's JSON text. */
  content: string(3),
  sentMs: uint53(4),
  expiresMs: uint53(5),
});
/** Payload of a frame `letter.answer`. `later`: not taken now, for the reason in `code`. */
export const letterAnswerForm = message({
  id: string(1),
  outcome: oneOf(2, ['taken', 'refused', 'later']),
  code: optional(string(3)),
  retryAfterMs: optional(uint53(4)),
});
/** Payload of the answer to a frame `session.status`, which has none. */
export const statusForm = message({ session: string(1), suite: string(2), expiresMs: uint53(3) });

/** Kinds of frames between two HTTP faces. */
export const frameKinds = {
  letter: 'letter',
  letterAnswer: 'letter.answer',
  status: 'session.status',
  /** A question about a file, and its answer. */
  file: 'file',
  fileAnswer: 'file.answer',
} as const;

/** Throws INVALID_FORMAT. */
export function readExchange(body: Uint8Array): ReturnType<typeof exchangeForm.decode> {
  const exchange = exchangeForm.decode(body);
  const { session, handshake, frame } = exchange;
  const isOne = (handshake === undefined) !== (frame === undefined);
  if (isOne && (session === undefined || session.length === 16)) return exchange;
  throw new PeerAiError('INVALID_FORMAT', 'a handshake message or a frame, and where to look by 16 bytes');
}
