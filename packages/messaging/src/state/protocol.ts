import {
  fromBase64Url,
  type Method,
  PeerAiError,
  parsePeerId,
  type Protocol,
  toBase64Url,
  wire,
} from '@peerai/core-protocol';
import { limits } from './limits.ts';
import type { OpenVector, Vector } from './vector.ts';

/** Only peers the owner allowed may ask; whether they share the document is asked on top. */
const stateProtocol: Protocol = {
  id: '/peerai/state/1',
  access: 'granted',
  framing: 'messages',
  messageBytesMax: limits.frameBytesMax,
  channelsPerPeerMax: limits.channelsPerPeerMax,
};
const markCodec = wire.message({ author: wire.string(1), life: wire.uint53(2), place: wire.uint53(3) });
const body = {
  charter: wire.bytes(1),
  vector: wire.repeated(wire.nested(2, markCodec), limits.authorsMax * limits.livesMax),
  entries: wire.repeated(wire.bytes(3), limits.batchEntriesMax),
};
type Said = ReturnType<ReturnType<typeof wire.message<typeof body>>['decode']>;
/** What the asker has of a document, and what it believes the other lacks; back comes the same from the other side. */
export const exchangeMethod: Method<Said, Said> = {
  protocol: stateProtocol,
  request: wire.message(body),
  response: wire.message(body),
  timeoutMs: limits.exchangeMs,
};

export const writeVector = (vector: Vector): Said['vector'] =>
  [...vector].flatMap(([author, lives]) => [...lives].map(([life, place]) => ({ author, life, place })));
/** Throws INVALID_FORMAT. */
export function readVector(marks: Said['vector']): Vector {
  const vector: OpenVector = new Map();
  for (const { author, life, place } of marks) {
    const peer = parsePeerId(author);
    vector.set(peer, (vector.get(peer) ?? new Map<number, number>()).set(life, place));
  }
  return vector;
}

/** The kind of the letters that carry entries to peers that are away. */
export const stateKind = 'state';
export interface StateLetter {
  readonly charter: Uint8Array;
  readonly entries: readonly Uint8Array[];
}
export const writeLetter = ({ charter, entries }: StateLetter): unknown => ({
  charter: toBase64Url(charter),
  entries: entries.map((entry) => toBase64Url(entry)),
});
/** Throws INVALID_FORMAT. */
export function readLetter(payload: unknown): StateLetter {
  const { charter, entries } = (typeof payload === 'object' && payload !== null ? payload : {}) as {
    readonly [name in 'charter' | 'entries']?: unknown;
  };
  const isWhole = typeof charter === 'string' && Array.isArray(entries) && entries.length <= limits.batchEntriesMax;
  if (!isWhole || !entries.every((entry) => typeof entry === 'string')) {
    throw new PeerAiError('INVALID_FORMAT', 'the payload is not a letter about a document');
  }
  try {
    return { charter: fromBase64Url(charter), entries: entries.map((entry) => fromBase64Url(entry)) };
  } catch (cause) {
    throw new PeerAiError('INVALID_FORMAT', 'the letter about a document is not base64url', {}, { cause });
  }
}
