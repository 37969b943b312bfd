import { bytes, message, optional, repeated, uint32 } from '../wire/index.ts';
import { compress, decompress } from './compress.ts';
import { pcpError, wrongField } from './errors.ts';
import { pcpLimits } from './limits.ts';

const frameCodec = message({ plain: optional(bytes(1)), deflated: optional(bytes(2)), size: optional(uint32(3)) });
const batchCodec = message({ messages: repeated(bytes(1), pcpLimits.batchMessagesMax) });

/**
 * 1 to 10 sealed messages, in order, as one frame. @param options - `compress`: the other side said that it inflates.
 * Throws LIMIT_EXCEEDED.
 */
export function writeFrame(messages: readonly Uint8Array[], options: { readonly compress: boolean }): Uint8Array {
  if (messages.length < 1 || messages.length > pcpLimits.batchMessagesMax) {
    throw pcpError('LIMIT_EXCEEDED', `1 to ${pcpLimits.batchMessagesMax} messages in a frame, not ${messages.length}`);
  }
  const plain = batchCodec.encode({ messages });
  if (plain.length > pcpLimits.frameBytesMax) throw tooLarge(plain.length);
  const deflated = options.compress ? compress(plain) : undefined;
  const body =
    deflated === undefined
      ? { plain, deflated: undefined, size: undefined }
      : { plain: undefined, deflated, size: plain.length };
  return frameCodec.encode(body);
}

const tooLarge = (size: number) =>
  pcpError('LIMIT_EXCEEDED', `a frame of ${size} bytes; at most ${pcpLimits.frameBytesMax}`);

/** The messages of a frame, none of them checked. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function readFrame(given: Uint8Array): readonly Uint8Array[] {
  if (given.length > pcpLimits.frameBytesMax + pcpLimits.frameFieldsBytesMax) throw tooLarge(given.length);
  const { plain, deflated, size } = frameCodec.decode(given);
  if ((plain === undefined) === (deflated === undefined) || (deflated === undefined) !== (size === undefined)) {
    throw wrongField('frame');
  }
  const body =
    deflated === undefined ? (plain ?? new Uint8Array()) : decompress(deflated, size ?? 0, pcpLimits.frameBytesMax);
  const { messages } = batchCodec.decode(body);
  if (messages.length === 0) throw wrongField('messages');
  return messages;
}

/** Each message of a frame by itself, in order: one that is refused takes no other with it. */
export function openFrame<T>(
  given: Uint8Array,
  open: (message: Uint8Array) => T,
): readonly ({ readonly opened: T } | { readonly error: unknown })[] {
  return readFrame(given).map((message) => {
    try {
      return { opened: open(message) };
    } catch (error) {
      return { error };
    }
  });
}
