import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { bytesOf, numberOf, readFields, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';

const DEFLATED_FROM_BYTES = 1_024;
const BATCH_BYTES_MAX = 1_049_600;

/** 1 to 10 sealed messages as one frame (docs/protocol/pcp.md, "Frames"). */
export function writeFrame(messages: readonly Buffer[], compress = true): Buffer {
  const batch = writeFields(messages.map((message) => [1, message]));
  const deflated = deflateRawSync(batch);
  if (!compress || batch.length <= DEFLATED_FROM_BYTES || deflated.length >= batch.length) {
    return writeFields([[1, batch]]);
  }
  return writeFields([
    [2, deflated],
    [3, BigInt(batch.length)],
  ]);
}

/** The messages of a frame. Throws INVALID_FORMAT or LIMIT_EXCEEDED. */
export function readFrame(frame: Buffer): Buffer[] {
  const fields = readFields(frame);
  const size = Number(numberOf(fields, 3));
  if (size > BATCH_BYTES_MAX) throw new Refusal('LIMIT_EXCEEDED', 'this frame is too long');
  const batch = fields.some(([number]) => number === 1) ? bytesOf(fields, 1) : inflated(bytesOf(fields, 2), size);
  const messages = readFields(batch).map(([, value]) => value);
  if (messages.length < 1 || messages.length > 10) throw new Refusal('INVALID_FORMAT', '1 to 10 messages');
  return messages.map((message) => {
    if (message instanceof Uint8Array) return Buffer.from(message);
    throw new Refusal('INVALID_FORMAT', 'a message is bytes');
  });
}

function inflated(bytes: Buffer, size: number): Buffer {
  let whole: Buffer;
  try {
    whole = inflateRawSync(bytes, { maxOutputLength: size });
  } catch {
    throw new Refusal('INVALID_FORMAT', 'this does not inflate to its size');
  }
  if (whole.length !== size) throw new Refusal('INVALID_FORMAT', 'this does not inflate to its size');
  return whole;
}
