import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Protobuf by hand, for models that our own graphs cannot be: field number to one value or several. */
export interface Message {
  readonly [field: number]: Part | readonly Part[];
}
type Part = number | string | Uint8Array | Message;

export function encode(message: Message): Uint8Array {
  const writer = new BinaryWriter();
  for (const [field, value] of Object.entries(message)) {
    for (const part of Array.isArray(value) ? (value as readonly Part[]) : [value as Part])
      write(writer, Number(field), part);
  }
  return writer.finish();
}

function write(writer: BinaryWriter, field: number, part: Part): void {
  if (typeof part === 'number') writer.tag(field, WireType.Varint).int64(part);
  else if (typeof part === 'string') writer.tag(field, WireType.LengthDelimited).string(part);
  else writer.tag(field, WireType.LengthDelimited).bytes(part instanceof Uint8Array ? part : encode(part));
}

const int64s = (...values: number[]): Uint8Array => new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);

/** ValueInfoProto of a tensor: type 1 is float32, 7 int64, 9 bool. */
export const value = (name: string, type: number, shape: readonly number[] = []): Message => ({
  1: name,
  2: { 1: { 1: type, 2: { 1: shape.map((size) => ({ 1: size })) } } },
});

/** The same with names for the sizes that are open. */
export const open = (name: string, type: number, sizes: readonly (string | number)[]): Message => ({
  1: name,
  2: { 1: { 1: type, 2: { 1: sizes.map((size) => (typeof size === 'number' ? { 1: size } : { 2: size })) } } },
});

export const model = (graph: Message): Message => ({ 1: 8, 7: { 2: 'graph', ...graph }, 8: { 1: '', 2: 17 } });

/** Makes `sizes` zeros out of next to nothing and gives their sum. */
export const zeros = (...sizes: number[]): Message =>
  model({
    1: [
      { 1: 'sizes', 2: 'zeros', 4: 'ConstantOfShape' },
      { 1: ['zeros', 'x'], 2: 'sum', 4: 'Add' },
      { 1: 'sum', 2: 'y', 4: 'ReduceSum' },
    ],
    5: { 1: [sizes.length], 2: 7, 8: 'sizes', 9: int64s(...sizes) },
    11: value('x', 1, [1]),
    12: value('y', 1),
  });

/** A loop whose condition stays true: it never returns. */
export const endless = (): Message =>
  model({
    1: {
      1: ['rounds', 'go', 'x'],
      2: 'y',
      4: 'Loop',
      5: {
        1: 'body',
        6: {
          1: [
            { 1: 'on', 2: 'onward', 4: 'Identity' },
            { 1: ['carried', 'carried'], 2: 'next', 4: 'Mul' },
          ],
          2: 'body',
          11: [value('round', 7), value('on', 9), value('carried', 1, [1])],
          12: [value('onward', 9), value('next', 1, [1])],
        },
        20: 5,
      },
    },
    5: [
      { 2: 7, 8: 'rounds', 9: int64s(Number.MAX_SAFE_INTEGER) },
      { 2: 9, 8: 'go', 9: Uint8Array.of(1) },
    ],
    11: value('x', 1, [1]),
    12: value('y', 1, [1]),
  });
