import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { PeerAiError } from '../errors.ts';
import type { Codec } from './codec.ts';

/** How one field of a protobuf message is written and read; `message()` puts fields together. */
export interface Field<T> {
  readonly number: number;
  readonly wireType: WireType;
  readonly countMax?: number;
  write(writer: BinaryWriter, value: T): void;
  read(reader: BinaryReader): T;
  readonly presence: 'required' | 'optional' | 'repeated';
}
export type FieldTypes<F> = { [K in keyof F]: F[K] extends Field<infer T> ? T : never };

const invalid = (text: string, cause?: unknown): PeerAiError => new PeerAiError('INVALID_FORMAT', text, {}, { cause });

function scalar<T>(
  wireType: WireType,
  write: (writer: BinaryWriter, value: T) => void,
  read: (reader: BinaryReader) => T,
): (number: number) => Field<T> {
  return (number) => ({ number, wireType, write, read, presence: 'required' });
}

export const uint32 = scalar<number>(
  WireType.Varint,
  (writer, value) => writer.uint32(value),
  (reader) => reader.uint32(),
);
/** A whole number up to 2^53 − 1: times in milliseconds, counters, offsets. */
export const uint53 = scalar<number>(
  WireType.Varint,
  (writer, value) => writer.uint64(BigInt(value)),
  (reader) => {
    const small = smallWhole(reader);
    if (small !== undefined) return small;
    const value = BigInt(reader.uint64());
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('a whole number above 2^53 − 1');
    return Number(value);
  },
);
export const uint64 = scalar<bigint>(
  WireType.Varint,
  (writer, value) => writer.uint64(value),
  (reader) => BigInt(smallWhole(reader) ?? reader.uint64()),
);

/** A varint of at most four bytes, 28 bits: read as a number, without a bigint in between. Otherwise nothing is read. */
function smallWhole(reader: BinaryReader): number | undefined {
  const start = reader.pos;
  const value = reader.uint32();
  if (reader.pos - start <= 4) return value;
  reader.pos = start;
  return undefined;
}

export const bool = scalar<boolean>(
  WireType.Varint,
  (writer, value) => writer.bool(value),
  (reader) => reader.bool(),
);
/** IEEE 754, 8 bytes, little-endian. */
export const double = scalar<number>(
  WireType.Bit64,
  (writer, value) => writer.double(value),
  (reader) => reader.double(),
);
export const string = scalar<string>(
  WireType.LengthDelimited,
  (writer, value) => writer.string(value),
  (reader) => reader.string(),
);
export const bytes = scalar<Uint8Array>(
  WireType.LengthDelimited,
  (writer, value) => writer.bytes(value),
  (reader) => reader.bytes().slice(),
);
/** The same without a copy: what is read shares the memory of the whole message, keeps it and changes with it. */
export const bytesView = scalar<Uint8Array>(
  WireType.LengthDelimited,
  (writer, value) => writer.bytes(value),
  (reader) => reader.bytes(),
);

/** A text of a closed list, written as its place in that list (first = 1). */
export function oneOf<const Names extends readonly string[]>(number: number, names: Names): Field<Names[number]> {
  return scalar<Names[number]>(
    WireType.Varint,
    (writer, value) => writer.uint32(names.indexOf(value) + 1),
    (reader) => {
      const name = names[reader.uint32() - 1];
      if (name === undefined) throw invalid(`a value outside ${names.join(', ')}`);
      return name;
    },
  )(number);
}

/** Another message inside this one. */
export function nested<T>(number: number, codec: Codec<T>): Field<T> {
  return scalar<T>(
    WireType.LengthDelimited,
    (writer, value) => writer.bytes(codec.encode(value)),
    (reader) => codec.decode(reader.bytes()),
  )(number);
}

export function optional<T>(field: Field<T>): Field<T | undefined> {
  return { ...field, presence: 'optional' };
}

/** At most `countMax` of one field, in order; never packed. */
export function repeated<T>(field: Field<T>, countMax: number): Field<readonly T[]> {
  return { ...field, presence: 'repeated', countMax } as unknown as Field<readonly T[]>;
}

/** A writer with memory that has grown already: growing it costs more than writing a small message. */
let spareWriter: BinaryWriter | undefined;
/** A writer that a larger message has grown is not kept. */
const spareBytesMax = 65_536;

/**
 * A protobuf message written by hand: its fields are data, the wire format is @bufbuild/protobuf's.
 * Fields are written in the order given, unknown ones are skipped, a singular field that comes twice is refused.
 *
 * @example
 * const point = message({ x: uint32(1), y: uint32(2) });
 * point.decode(point.encode({ x: 1, y: 2 }));
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a field of any type
export function message<F extends Record<string, Field<any>>>(fields: F): Codec<FieldTypes<F>> {
  const named = Object.entries<Field<unknown>>(fields);
  const byNumber = new Map(named.map(([name, field]) => [field.number, [name, field] as const]));
  return {
    encode(value) {
      const writer = spareWriter ?? new BinaryWriter();
      // A message inside this one is written by another writer; one that fails half-way is not used again.
      spareWriter = undefined;
      for (const [name, field] of named) writeField(writer, field, value[name]);
      const bytes = writer.finish();
      if (bytes.length <= spareBytesMax) spareWriter = writer;
      return bytes;
    },
    decode(bytes) {
      try {
        return readMessage(bytes, byNumber, named) as FieldTypes<F>;
      } catch (error) {
        throw PeerAiError.is(error) ? error : invalid('malformed protobuf', error);
      }
    },
  };
}

function writeField(writer: BinaryWriter, field: Field<unknown>, value: unknown): void {
  if (value === undefined) return;
  if (field.presence === 'repeated') {
    for (const one of value as readonly unknown[]) writeOne(writer, field, one);
  } else writeOne(writer, field, value);
}

function writeOne(writer: BinaryWriter, field: Field<unknown>, value: unknown): void {
  writer.tag(field.number, field.wireType);
  field.write(writer, value);
}

function readMessage(
  bytes: Uint8Array,
  byNumber: ReadonlyMap<number, readonly [string, Field<unknown>]>,
  named: readonly (readonly [string, Field<unknown>])[],
): Record<string, unknown> {
  const reader = new BinaryReader(bytes);
  const result: Record<string, unknown> = {};
  let required = 0;
  for (const [name, { presence }] of named) {
    if (presence === 'repeated') result[name] = [];
    else if (presence === 'required') required += 1;
  }
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const known = byNumber.get(number);
    if (known === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    const [name, field] = known;
    if (wireType !== field.wireType) throw invalid(`field ${name} has wire type ${wireType}`);
    readField(reader, name, field, result);
    if (field.presence === 'required') required -= 1;
  }
  if (required === 0) return result;
  for (const [name, field] of named) {
    if (field.presence === 'required' && !(name in result)) throw invalid(`field ${name} is missing`);
  }
  return result;
}

function readField(reader: BinaryReader, name: string, field: Field<unknown>, result: Record<string, unknown>): void {
  if (field.presence !== 'repeated') {
    if (name in result) throw invalid(`field ${name} comes twice`);
    result[name] = field.read(reader);
    return;
  }
  const list = result[name] as unknown[];
  if (list.length >= (field.countMax ?? 0)) throw invalid(`field ${name} has more than ${field.countMax} values`);
  list.push(field.read(reader));
}
