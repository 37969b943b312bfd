import { utf8 } from '../bytes.ts';
import { limits } from '../limits.ts';
import { pcpError } from './errors.ts';
import type { LegacyReader } from './profile.ts';
import { readRawJson, type RawObject, writeAsciiJson } from './raw-json.ts';

/** Writes the fields with room for a signature of 128 digits, reads them as the other side will, and signs what it will check. */
export function sealLegacy(
  read: LegacyReader,
  fields: ReadonlyMap<string, unknown>,
  sign: (signed: Uint8Array) => string,
): Uint8Array {
  const given = Array.from(fields).filter(([, value]) => value !== undefined);
  const write = (signature: string): Uint8Array => utf8(writeAsciiJson(new Map([...given, ['signature', signature]])));
  const unsigned = write('0'.repeat(128));
  if (unsigned.length > limits.messageBytesMax) {
    throw pcpError('LIMIT_EXCEEDED', `a message of ${unsigned.length} bytes; at most ${limits.messageBytesMax}`);
  }
  return write(sign(read(readRawJson(unsigned) as RawObject).signed));
}
