import { PeerAiError, utf8 } from '@peerai/core-protocol';
import { transportError } from '../errors.ts';

/**
 * multistream-select 1.0 from the opener's side, without waiting: the proposal goes out together with what the protocol itself says first, and
 * the other side's echo of it is taken off the front of its answer. https://github.com/multiformats/multistream-select
 */
export interface Negotiation {
  /** What is left of a piece after the other side's echo. Throws REFUSED when it does not know the protocol, INVALID_FORMAT. */
  read(piece: Uint8Array): Uint8Array;
}

const header = '/multistream/1.0.0';
const unknown = 'na';
/** A length of one byte: every protocol of ours is far shorter. */
const lineBytesMax = 127;

/** Both lines of a proposal. Throws RangeError for an id of more than 126 bytes. */
export function proposal(protocolId: string): Uint8Array {
  return utf8(line(header) + line(protocolId));
}

export function createNegotiation(protocolId: string): Negotiation {
  const expected = proposal(protocolId);
  const refusal = utf8(line(header) + line(unknown));
  let known = 0;
  let refusing = false;
  return {
    read(piece) {
      let used = 0;
      for (; used < piece.length && known < expected.length; used += 1, known += 1) {
        const byte = piece[used];
        // The echo and the refusal are the same up to the length of their second line.
        refusing ||= byte !== expected[known] && byte === refusal[known];
        if (byte !== (refusing ? refusal : expected)[known]) {
          throw new PeerAiError('INVALID_FORMAT', 'the other side did not echo the protocol');
        }
        if (refusing && known === refusal.length - 1) {
          throw transportError('REFUSED', 'the other side does not answer this protocol', { reason: 'unsupported' });
        }
      }
      return used === 0 ? piece : piece.subarray(used);
    },
  };
}

/** A varint length, which is one byte here, the text and a newline. */
function line(text: string): string {
  const length = text.length + 1;
  if (length > lineBytesMax) throw new RangeError(`a protocol id of ${text.length} characters`);
  return `${String.fromCharCode(length)}${text}\n`;
}
