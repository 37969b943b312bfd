import { fromUtf8, utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import type { Codec } from './codec.ts';

/** JSON text as a codec. @param check - turns the parsed value into a T or throws; what it throws becomes INVALID_FORMAT. */
export function jsonCodec<T>(check: (value: unknown) => T): Codec<T> {
  return {
    encode: (value) => utf8(JSON.stringify(value)),
    decode(bytes) {
      try {
        return check(JSON.parse(fromUtf8(bytes)));
      } catch (error) {
        if (PeerAiError.is(error, 'INVALID_FORMAT')) throw error;
        throw new PeerAiError('INVALID_FORMAT', 'not the JSON that was expected', {}, { cause: error });
      }
    },
  };
}
