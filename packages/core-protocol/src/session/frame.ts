import { concatBytes, utf8 } from '../bytes.ts';
import { limits } from '../limits.ts';
import { bytes, type FieldTypes, message, string, uint32, uint53 } from '../wire/index.ts';
import { sessionError } from './errors.ts';
import { sessionLimits } from './limits.ts';
import { checkSessionId } from './session-id.ts';

const headerFields = {
  version: uint32(1),
  session: bytes(2),
  sender: bytes(3),
  recipient: bytes(4),
  sequence: uint53(5),
  kind: string(6),
  timestampMs: uint53(7),
  epoch: uint32(8),
};
const headerForm = message(headerFields);
const frameForm = message({ header: bytes(1), sealed: bytes(2) });
const associated = concatBytes(utf8('peerai/session-frame/1'), Uint8Array.of(0));

export type FrameHeader = FieldTypes<typeof headerFields>;
export interface Frame {
  readonly header: FrameHeader;
  /** What the AEAD binds the payload to: a tag, a zero byte, the header as it travels. */
  readonly associated: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Throws LIMIT_EXCEEDED. `seal` is given the associated data. */
export function writeFrame(header: FrameHeader, seal: (associated: Uint8Array) => Uint8Array): Uint8Array {
  const written = headerForm.encode(header);
  const frame = frameForm.encode({ header: written, sealed: seal(concatBytes(associated, written)) });
  checkFrameSize(frame);
  return frame;
}

/** Throws LIMIT_EXCEEDED, INVALID_FORMAT, INVALID_VERSION. */
export function readFrame(frame: Uint8Array): Frame {
  checkFrameSize(frame);
  const { header: written, sealed } = frameForm.decode(frame);
  const header = headerForm.decode(written);
  if (header.version !== 1) {
    throw sessionError('INVALID_VERSION', `frame version ${header.version}`, { supported: [1] });
  }
  checkSessionId(header.session);
  checkKind(header.kind);
  if (header.sender.length !== 32 || header.recipient.length !== 32 || header.sequence < 1 || sealed.length < 16) {
    throw sessionError('INVALID_FORMAT', 'a frame with a field out of bounds');
  }
  return { header, associated: concatBytes(associated, written), sealed };
}

/** Throws INVALID_FORMAT. */
export function checkKind(kind: string): void {
  // A text has at most three bytes of UTF-8 for each of its units: short ones need no counting.
  const byteCount = kind.length * 3 <= limits.kindBytesMax ? kind.length : utf8(kind).length;
  if (byteCount === 0 || byteCount > limits.kindBytesMax) {
    throw sessionError('INVALID_FORMAT', `a kind has 1 to ${limits.kindBytesMax} bytes`);
  }
}

function checkFrameSize(frame: Uint8Array): void {
  if (frame.length <= sessionLimits.frameBytesMax) return;
  throw sessionError('LIMIT_EXCEEDED', `a frame has at most ${sessionLimits.frameBytesMax} bytes`);
}
