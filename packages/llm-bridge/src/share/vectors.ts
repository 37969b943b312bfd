import { PeerAiError } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** Rows of equal length as float32, little-endian, one after the other. Throws INVALID_FORMAT. */
export function writeRows(rows: readonly Float32Array[]): { readonly dimensions: number; readonly rows: Uint8Array } {
  const dimensions = rows[0]?.length ?? 0;
  const view = new DataView(new ArrayBuffer(rows.length * dimensions * 4));
  rows.forEach((row, rowIndex) => {
    if (row.length !== dimensions) throw new PeerAiError('INVALID_FORMAT', 'the rows differ in length');
    row.forEach((value, index) => view.setFloat32((rowIndex * dimensions + index) * 4, value, true));
  });
  return { dimensions, rows: new Uint8Array(view.buffer) };
}

/** Throws INVALID_FORMAT unless there are exactly `count` rows of finite numbers. */
export function readRows(bytes: Uint8Array, dimensions: number, count: number): readonly Float32Array[] {
  const fits = dimensions >= 1 && dimensions <= limits.embedDimensionsMax && bytes.length === count * dimensions * 4;
  if (!fits) throw new PeerAiError('INVALID_FORMAT', `${bytes.length} bytes are not ${count} rows of ${dimensions}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = (place: number): number => view.getFloat32(place * 4, true);
  const rows = Array.from({ length: count }, (_, row) =>
    Float32Array.from({ length: dimensions }, (_, index) => value(row * dimensions + index)),
  );
  if (rows.some((row) => row.some((one) => !Number.isFinite(one)))) {
    throw new PeerAiError('INVALID_FORMAT', 'a vector that is not made of numbers');
  }
  return rows;
}
