import { Refusal } from './refusal.ts';

/** One field of a message: its number and what it holds, bytes or a whole number. */
export type Field = readonly [number: number, value: Uint8Array | bigint];

/** Fields in the order given, as proto3 writes them. */
export function writeFields(fields: readonly Field[]): Buffer {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === 'bigint') return [varint(BigInt(number << 3)), varint(value)];
    return [varint(BigInt((number << 3) | 2)), varint(BigInt(value.length)), value];
  });
  return Buffer.concat(parts);
}

/** Every field of a message, in the order in which they came. Throws INVALID_FORMAT. */
export function readFields(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const number = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) break;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Refusal('INVALID_FORMAT', 'this is no protobuf');
  };
  while (at < bytes.length) {
    const head = Number(number());
    if ((head & 7) === 0) fields.push([head >> 3, number()]);
    else if ((head & 7) === 2) {
      const length = Number(number());
      if (length > bytes.length - at) throw new Refusal('INVALID_FORMAT', 'a field is cut off');
      fields.push([head >> 3, bytes.subarray(at, at + length)]);
      at += length;
    } else throw new Refusal('INVALID_FORMAT', 'a field of a kind that is not used here');
  }
  return fields;
}

/** The bytes of the one field of this number. Throws INVALID_FORMAT when it is not there. */
export function bytesOf(fields: readonly Field[], number: number): Buffer {
  const value = fields.find(([found]) => found === number)?.[1];
  if (value instanceof Uint8Array) return Buffer.from(value);
  throw new Refusal('INVALID_FORMAT', `field ${String(number)} is not there`);
}

/** The whole number of the one field of this number, 0 when it is not there. */
export function numberOf(fields: readonly Field[], number: number): bigint {
  const value = fields.find(([found]) => found === number)?.[1];
  return typeof value === 'bigint' ? value : 0n;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

/** Every text of this number, in order. */
export function textsOf(fields: readonly Field[], number: number): string[] {
  const values = fields.filter(([found]) => found === number).map(([, value]) => value);
  return values.filter((value) => value instanceof Uint8Array).map((value) => Buffer.from(value).toString('utf8'));
}
