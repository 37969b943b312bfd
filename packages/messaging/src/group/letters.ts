import { fromBase64Url, PeerAiError, toBase64Url, utf8, wire } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** The kind of every letter between members. */
export const groupKind = 'group';

const types = ['welcome', 'mls', 'leave'] as const;
/**
 * What one member's messenger carries to another's. `place` counts the sender's letters of this group: the receiver takes each once, in order, even
 * when the sender, after a crash, gives one to its messenger again.
 */
export interface GroupLetter {
  /** 32 hex digits. */
  readonly group: string;
  readonly place: number;
  readonly type: (typeof types)[number];
  /** MLS bytes; none where a member asks to be let out. */
  readonly data: Uint8Array;
}
export function writeLetter({ group, place, type, data }: GroupLetter): unknown {
  return { group, place, type, data: toBase64Url(data) };
}
/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function readLetter(payload: unknown): GroupLetter {
  const fields = (typeof payload === 'object' && payload !== null ? payload : {}) as Readonly<Record<string, unknown>>;
  const { group, place, type, data } = fields as { readonly [name in 'group' | 'place' | 'type' | 'data']: unknown };
  if (typeof group !== 'string' || !/^[0-9a-f]{32}$/u.test(group)) throw invalid();
  if (!Number.isSafeInteger(place) || (place as number) < 0 || typeof data !== 'string') throw invalid();
  const known = types.find((one) => one === type);
  if (known === undefined) throw invalid();
  if (data.length > Math.ceil((limits.mlsBytesMax * 4) / 3)) {
    throw new PeerAiError('LIMIT_EXCEEDED', 'the letter of a group is too long');
  }
  try {
    return { group, place: place as number, type: known, data: fromBase64Url(data) };
  } catch (cause) {
    throw invalid(cause);
  }
}
const invalid = (cause?: unknown): PeerAiError =>
  new PeerAiError('INVALID_FORMAT', 'the payload is not a letter of a group', {}, { cause });

/** What a member reads: `from` is signed with the content, so that nobody can hand on another's words as its own. */
const contentCodec = wire.message({
  from: wire.string(1),
  id: wire.string(2),
  kind: wire.string(3),
  sentMs: wire.uint53(4),
  /** JSON text. */
  payload: wire.string(5),
});
export interface GroupContent {
  readonly from: string;
  readonly id: string;
  readonly kind: string;
  readonly sentMs: number;
  readonly payload: unknown;
}
/** Throws INVALID_FORMAT (the payload is no JSON), LIMIT_EXCEEDED. */
export function writeContent(content: GroupContent): Uint8Array {
  const payload = JSON.stringify(content.payload) as string | undefined;
  if (payload === undefined) throw new PeerAiError('INVALID_FORMAT', 'the payload is not JSON');
  checkSizes(content.kind, payload);
  return contentCodec.encode({ ...content, payload });
}
/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function readContent(bytes: Uint8Array): GroupContent {
  const read = contentCodec.decode(bytes);
  checkSizes(read.kind, read.payload);
  if (!/^[0-9a-f]{32}$/u.test(read.id)) throw new PeerAiError('INVALID_FORMAT', 'a message has an id of 32 hex digits');
  try {
    return { ...read, payload: JSON.parse(read.payload) as unknown };
  } catch (cause) {
    throw new PeerAiError('INVALID_FORMAT', 'the payload is not JSON', {}, { cause });
  }
}
function checkSizes(kind: string, payload: string): void {
  const kindBytes = utf8(kind).length;
  if (kindBytes < 1 || kindBytes > limits.kindBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a message's kind has 1 to ${limits.kindBytesMax} bytes`);
  }
  if (utf8(payload).length > limits.messageBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a group's message has at most ${limits.messageBytesMax} bytes of JSON`);
  }
}
