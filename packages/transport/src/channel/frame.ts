import { PeerAiError } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** The frames of a channel: kind (1 byte), length (4 bytes, big-endian), payload. docs/protocol/channel.md. */
export const frameKind = { data: 1, credit: 2, ping: 3, pong: 4, end: 5, reset: 6 } as const;
export type FrameKind = keyof typeof frameKind;

const kinds = new Map<number, FrameKind>(Object.entries(frameKind).map(([name, code]) => [code, name as FrameKind]));
const none = new Uint8Array();

export function encodeFrame(kind: FrameKind, payload: Uint8Array = none): Uint8Array {
  const bytes = new Uint8Array(limits.frameHeadBytes + payload.length);
  bytes[0] = frameKind[kind];
  new DataView(bytes.buffer).setUint32(1, payload.length);
  bytes.set(payload, limits.frameHeadBytes);
  return bytes;
}

export function encodeCredit(bytes: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, bytes);
  return encodeFrame('credit', payload);
}

export function decodeCredit(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0);
}

const codePattern = /^[A-Z][A-Z0-9_]*$/u;

export function encodeReset(code: string): Uint8Array {
  const known = code.length <= limits.resetCodeCharsMax && codePattern.test(code) ? code : 'INTERNAL';
  return encodeFrame('reset', new TextEncoder().encode(known));
}

/** Throws INVALID_FORMAT for anything but an upper-case code. */
export function decodeReset(payload: Uint8Array): string {
  const code = new TextDecoder().decode(payload);
  if (!codePattern.test(code)) throw new PeerAiError('INVALID_FORMAT', 'a reset without a code');
  return code;
}

/** What a message costs of the credit window. */
export function messageCost(messageBytes: number): number {
  return limits.frameHeadBytes + messageBytes;
}

/**
 * The window a reader gives: large enough that three quarters of it hold the largest message,
 * because a reader keeps up to a quarter ungranted; and on a far link more, because a window is what leaves in one round trip.
 */
export function windowBytes(messageBytesMax: number, roundTripMs = 0): number {
  const farBytes = Math.min(limits.creditWindowBytesMax, Math.floor(roundTripMs * limits.creditBytesPerMs));
  return Math.max(limits.creditWindowBytes, farBytes, Math.ceil((messageCost(messageBytesMax) * 4) / 3) + 1);
}

/** Puts frames together from pieces of any size. One per stream. */
export interface FrameReader {
  /** Throws what `admit` throws, and INVALID_FORMAT for an unknown kind or a wrong length. */
  push(piece: Uint8Array): void;
}

/**
 * @param admit - sees kind and length before a payload is kept; throws to refuse.
 * @param take - gets each whole frame; the payload is its own memory.
 */
export function createFrameReader(
  admit: (kind: FrameKind, length: number) => void,
  take: (kind: FrameKind, payload: Uint8Array) => void,
): FrameReader {
  const head = new Uint8Array(limits.frameHeadBytes);
  let headFilled = 0;
  let kind: FrameKind | undefined;
  let missing = 0;
  let payload = none;
  let filled = 0;

  function readHead(piece: Uint8Array): Uint8Array {
    const part = piece.subarray(0, head.length - headFilled);
    head.set(part, headFilled);
    headFilled += part.length;
    if (headFilled === head.length) {
      kind = kinds.get(head[0] ?? 0);
      missing = new DataView(head.buffer).getUint32(1);
      if (kind === undefined) throw new PeerAiError('INVALID_FORMAT', 'a frame of unknown kind');
      checkLength(kind, missing);
      admit(kind, missing);
      payload = none;
      filled = 0;
    }
    return piece.subarray(part.length);
  }

  /** Memory for a whole payload up to a bound, beyond it twice what has come: a length alone takes little. */
  function makeRoom(bytes: number): void {
    if (payload.length >= filled + bytes) return;
    const room = new Uint8Array(Math.min(filled + missing, Math.max(limits.payloadRoomBytes, 2 * (filled + bytes))));
    room.set(payload.subarray(0, filled));
    payload = room;
  }

  function readPayload(whole: FrameKind, piece: Uint8Array): Uint8Array {
    const part = piece.subarray(0, missing);
    makeRoom(part.length);
    // One copy, out of the socket's memory: a view of a small message would keep all that came with it.
    payload.set(part, filled);
    filled += part.length;
    missing -= part.length;
    if (missing === 0) {
      headFilled = 0;
      kind = undefined;
      take(whole, payload);
    }
    return piece.subarray(part.length);
  }

  return {
    push(piece) {
      let rest = piece;
      while (rest.length > 0) {
        if (kind === undefined) rest = readHead(rest);
        if (kind !== undefined) rest = readPayload(kind, rest);
      }
    },
  };
}

function checkLength(kind: FrameKind, length: number): void {
  const fits =
    kind === 'data' ||
    (kind === 'credit' && length === 4) ||
    (kind === 'reset' && length > 0 && length <= limits.resetCodeCharsMax) ||
    (length === 0 && (kind === 'ping' || kind === 'pong' || kind === 'end'));
  if (!fits) throw new PeerAiError('INVALID_FORMAT', `a ${kind} frame of ${length} bytes`);
}
