import { fromHex, toHex } from '../bytes.ts';
import { sessionError } from './errors.ts';

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Version and variant of RFC 9562 section 5.4 over 16 random bytes. */
export function newSessionId(random: Uint8Array): Uint8Array {
  const id = random.slice(0, 16);
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x40;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
  return checkSessionId(id);
}

/** Throws INVALID_FORMAT for anything but the 16 bytes of a UUID v4. */
export function checkSessionId(id: Uint8Array): Uint8Array {
  if (id.length === 16 && (id[6] ?? 0) >> 4 === 4 && (id[8] ?? 0) >> 6 === 2) return id;
  throw sessionError('INVALID_FORMAT', 'a session id is a UUID v4');
}

/** `xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx`, lower case. */
export function sessionIdText(id: Uint8Array): string {
  return toHex(checkSessionId(id)).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Throws INVALID_FORMAT for anything but the text of a UUID v4, in lower or upper case. */
export function parseSessionId(text: string): Uint8Array {
  if (!form.test(text.toLowerCase())) throw sessionError('INVALID_FORMAT', 'a session id is a UUID v4');
  return fromHex(text.replaceAll('-', ''));
}
