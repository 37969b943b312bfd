import { deflateSync, Inflate } from 'fflate';
import { concatBytes } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { pcpError, wrongField } from './errors.ts';
import { pcpLimits } from './limits.ts';

/** RFC 1951 bytes, or undefined when they are short or would not get shorter. Never compress a secret together with a stranger's text. */
export function compress(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length <= pcpLimits.compressAboveBytes) return undefined;
  const deflated = deflateSync(bytes);
  return deflated.length < bytes.length ? deflated : undefined;
}

/**
 * Exactly `size` bytes again. The size is looked at while inflating, so a bomb costs no more than what it announced.
 * Throws INVALID_FORMAT, LIMIT_EXCEEDED (`size` above `sizeMax`).
 */
export function decompress(deflated: Uint8Array, size: number, sizeMax: number): Uint8Array {
  if (size > sizeMax) throw pcpError('LIMIT_EXCEEDED', `${size} bytes when inflated; at most ${sizeMax}`);
  const pieces: Uint8Array[] = [];
  let held = 0;
  const inflate = new Inflate((piece) => {
    held += piece.length;
    if (held > size) throw wrongField('size');
    pieces.push(piece.slice());
  });
  try {
    for (let place = 0; place < deflated.length; place += pcpLimits.inflateStepBytes) {
      const end = place + pcpLimits.inflateStepBytes;
      inflate.push(deflated.subarray(place, end), end >= deflated.length);
    }
  } catch (cause) {
    throw PeerAiError.is(cause) ? cause : wrongField('deflated', cause);
  }
  if (held !== size) throw wrongField('size');
  return concatBytes(...pieces);
}
