import { type Change, limits as core, PeerAiError, utf8 } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/**
 * How a row is found on disk: length of the room's path (2 bytes, big-endian) ‖ path ‖ key, compared as bytes.
 *
 * The path of a room is its names, each ended by NUL, so `a/b` and `a` inside `b` never meet; the length in front keeps the rows of a room
 * together, without the rows of the rooms inside it.
 */
export function rowKey(path: string, key: string): Uint8Array<ArrayBuffer> {
  const [pathBytes, keyBytes] = [utf8(path), utf8(key)];
  const whole = new Uint8Array(2 + pathBytes.length + keyBytes.length);
  // By hand: a DataView would move so short an array out of JavaScript's heap, which costs twice what the rest does.
  whole[0] = pathBytes.length >> 8;
  whole[1] = pathBytes.length & 0xff;
  whole.set(pathBytes, 2);
  whole.set(keyBytes, 2 + pathBytes.length);
  return whole;
}

/** A change's key carries its room's path in front; the key itself has no NUL. Throws as `checkKey`. */
export function changeKey({ key, value }: Change): Uint8Array<ArrayBuffer> {
  const cut = key.lastIndexOf('\0') + 1;
  checkPath(key.slice(0, cut));
  checkKey(key.slice(cut));
  checkValue(value);
  return rowKey(key.slice(0, cut), key.slice(cut));
}

/** The text behind the path of a row. */
export function keyText(row: Uint8Array): string {
  const start = 2 + ((row[0] ?? 0) << 8) + (row[1] ?? 0);
  return decoder.decode(row.subarray(start));
}

/** Throws INVALID_FORMAT on NUL or a lone surrogate, LIMIT_EXCEEDED above 512 UTF-8 bytes. */
export function checkKey(key: string): string {
  if (key.includes('\0') || !key.isWellFormed()) {
    throw new PeerAiError('INVALID_FORMAT', 'a key is Unicode text without NUL');
  }
  if (key.length * 3 > core.storeKeyBytesMax && utf8(key).length > core.storeKeyBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a key has at most ${core.storeKeyBytesMax} UTF-8 bytes`);
  }
  return key;
}

/** Throws LIMIT_EXCEEDED above 16 MiB. */
export function checkValue(value: Uint8Array | undefined): void {
  if (value !== undefined && value.length > core.storeValueBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a value of ${value.length} bytes; at most ${core.storeValueBytesMax}`);
  }
}

/** Throws LIMIT_EXCEEDED when the names of nested rooms are longer than `roomPathBytesMax` together. */
export function checkPath(path: string): string {
  if (path.length * 3 > limits.roomPathBytesMax && utf8(path).length > limits.roomPathBytesMax) {
    throw new PeerAiError(
      'LIMIT_EXCEEDED',
      `rooms are named with at most ${limits.roomPathBytesMax} UTF-8 bytes together`,
    );
  }
  return path;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
