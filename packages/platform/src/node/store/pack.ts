/**
 * One commit as one buffer, so that it crosses to the writer's thread without a copy per row:
 * for each change key length (u32), value length (u32, 2^32 - 1 deletes), key, value. Big-endian.
 */
export interface Packed {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

const deleted = 0xff_ff_ff_ff;
const headBytes = 8;

export function packedBytes(changes: readonly Packed[]): number {
  return changes.reduce((sum, { key, value }) => sum + headBytes + key.length + (value?.length ?? 0), 0);
}

export function pack(changes: readonly Packed[]): ArrayBuffer {
  const whole = new Uint8Array(packedBytes(changes));
  const view = new DataView(whole.buffer);
  let offset = 0;
  for (const { key, value } of changes) {
    view.setUint32(offset, key.length);
    view.setUint32(offset + 4, value?.length ?? deleted);
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
    const [keyBytes, valueBytes] = [view.getUint32(offset), view.getUint32(offset + 4)];
    const start = offset + headBytes;
    const length = valueBytes === deleted ? 0 : valueBytes;
    yield {
      key: new Uint8Array(buffer, start, keyBytes),
      value: valueBytes === deleted ? undefined : new Uint8Array(buffer, start + keyBytes, length),
    };
    offset = start + keyBytes + length;
  }
}
