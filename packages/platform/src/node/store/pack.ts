/**
 * One commit as one buffer, so that it crosses to the writer's thread without a copy per row:
 * for each row key length (u32, its highest bit says that the row is expected to be so), value length (u32, 2^32 - 1: no row), key, value.
 * Big-endian. What is expected comes before the changes, so that a commit which is refused has changed nothing.
 */
export interface Packed {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
  readonly isExpected: boolean;
}

const noRow = 0xff_ff_ff_ff;
const expectedBit = 0x80_00_00_00;
const headBytes = 8;

export function packedBytes(changes: readonly Packed[]): number {
  let sum = 0;
  for (const { key, value } of changes) sum += headBytes + key.length + (value?.length ?? 0);
  return sum;
}

export function pack(changes: readonly Packed[]): ArrayBuffer {
  const whole = new Uint8Array(packedBytes(changes));
  const view = new DataView(whole.buffer);
  let offset = 0;
  for (const { key, value, isExpected } of changes) {
    view.setUint32(offset, isExpected ? key.length + expectedBit : key.length);
    view.setUint32(offset + 4, value?.length ?? noRow);
    whole.set(key, offset + headBytes);
    if (value !== undefined) whole.set(value, offset + headBytes + key.length);
    offset += headBytes + key.length + (value?.length ?? 0);
  }
  return whole.buffer;
}

/** Views into the buffer, in order. */
export function* unpack(buffer: ArrayBuffer): Generator<Packed> {
  const view = new DataView(buffer);
  for (let offset = 0; offset < buffer.byteLength;) {
    const [keyHead, valueBytes] = [view.getUint32(offset), view.getUint32(offset + 4)];
    const isExpected = keyHead >= expectedBit;
    const keyBytes = isExpected ? keyHead - expectedBit : keyHead;
    const start = offset + headBytes;
    const length = valueBytes === noRow ? 0 : valueBytes;
    yield {
      key: new Uint8Array(buffer, start, keyBytes),
      value: valueBytes === noRow ? undefined : new Uint8Array(buffer, start + keyBytes, length),
      isExpected,
    };
    offset = start + keyBytes + length;
  }
}
